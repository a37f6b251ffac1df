import * as axiom from "./axiom";
export { axiom_abi_1, teardown, validate } from "./axiom";

let url = "";

export function initialize(): i32 {
  url = axiom.header().string("url");
  return 0;
}

export function execute(): i32 {
  if (axiom.operation() != axiom.RUN) return axiom.UNSUPPORTED;
  const headers = '"headers":{"content-type":"application/json"}';
  const request = '{"method":"POST","url":' + axiom.quoted(url) + "," + headers + "}";
  const response = axiom.http(request, Uint8Array.wrap(String.UTF8.encode(axiom.header().json)));
  if (response.error != 0) return response.error;
  const status = response.status;
  if (status < 200 || status > 299) return axiom.fail(axiom.TRANSIENT, "the server answers " + status.toString());
  axiom.setResult('{"status":"SUCCESS"}');
  return 0;
}
