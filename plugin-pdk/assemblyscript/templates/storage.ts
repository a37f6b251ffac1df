import * as axiom from "./axiom";
export { axiom_abi_1, teardown, validate } from "./axiom";

let url = "";

export function initialize(): i32 {
  url = axiom.header().string("url");
  return 0;
}

export function execute(): i32 {
  const operation = axiom.operation();
  const header = axiom.header();
  const key = header.string("key");
  const nothing = new Uint8Array(0);
  if (operation == axiom.PUT) return errorOf("PUT", key, request("PUT", key, '{"if-none-match":"*"}', axiom.readAll()));
  if (operation == axiom.GET) {
    const response = request("GET", key, range(header), nothing);
    const error = errorOf("GET", key, response);
    if (error == 0) axiom.write(response.body);
    return error;
  }
  if (operation == axiom.STAT) {
    const response = request("HEAD", key, "{}", nothing);
    const error = errorOf("HEAD", key, response);
    if (error != 0) return error;
    const length = response.header.object("headers").string("content-length");
    axiom.setResult('{"length":' + length + "}");
    return 0;
  }
  if (operation == axiom.DELETE) {
    const response = request("DELETE", key, "{}", nothing);
    return response.status == 404 ? 0 : errorOf("DELETE", key, response);
  }
  return axiom.UNSUPPORTED; // LIST: how it is done differs from server to server
}

function range(header: axiom.Header): string {
  const offset = header.integer("offset");
  const length = header.integer("length");
  return length < 1 ? "{}" : '{"range":"bytes=' + offset.toString() + "-" + (offset + length - 1).toString() + '"}';
}

function request(method: string, key: string, headers: string, body: Uint8Array): axiom.Response {
  const where = axiom.quoted(url + key);
  return axiom.http('{"method":"' + method + '","url":' + where + ',"headers":' + headers + "}", body);
}

function errorOf(method: string, key: string, response: axiom.Response): i32 {
  if (response.error != 0) return response.error;
  const status = response.status;
  if (status >= 200 && status <= 299) return 0;
  let error = axiom.PERMANENT;
  if (status == 404) error = axiom.NOT_FOUND;
  if (status == 412) error = axiom.CONFLICT;
  if (status == 408 || status == 429 || status >= 500) error = axiom.TRANSIENT;
  return axiom.fail(error, method + " " + key + ": the server answers " + status.toString());
}
