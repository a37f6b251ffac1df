// Tells a server what happened: as it is, or as the message that chat servers take.
import * as axiom from "../../plugin-pdk/assemblyscript/axiom";
export { axiom_abi_1, teardown } from "../../plugin-pdk/assemblyscript/axiom";

// It refuses longer ones.
const DISCORD_CHARACTERS_MAX = 2000;

let url = "";
let format = "";
let onlyProblems = false;

export function initialize(): i32 {
  const configuration = axiom.header();
  url = configuration.string("url");
  format = configuration.string("format");
  onlyProblems = configuration.boolean("only_problems");
  return 0;
}

export function validate(): i32 {
  if (url.startsWith("https://") || url.startsWith("http://")) return 0;
  return axiom.fail(axiom.INVALID_INPUT, "its option url is no address of a web server");
}

export function execute(): i32 {
  if (axiom.operation() != axiom.RUN) return axiom.UNSUPPORTED;
  const event = axiom.header();
  if (onlyProblems && event.string("status") == "SUCCESS") return answer(0);
  const headers = '"headers":{"content-type":"application/json"}';
  const request = '{"method":"POST","url":' + axiom.quoted(url) + "," + headers + "}";
  const response = axiom.http(request, Uint8Array.wrap(String.UTF8.encode(bodyOf(event))));
  if (response.error != 0) return axiom.fail(response.error, response.header.string("message"));
  const status = response.status;
  if (status >= 200 && status <= 299) return answer(status);
  const mayWorkLater = status == 408 || status == 429 || status >= 500;
  return axiom.fail(mayWorkLater ? axiom.TRANSIENT : axiom.PERMANENT, "the server answers " + status.toString());
}

function answer(status: i32): i32 {
  axiom.setResult('{"status":"SUCCESS","metrics":{"http_status":' + status.toString() + "}}");
  return 0;
}

function bodyOf(event: axiom.Header): string {
  if (format == "json") return event.json;
  const status = event.string("status");
  const text = "AXIOM " + event.string("event") + (status == "" ? "" : ", " + status) + ": " + event.string("message");
  if (format == "discord") return '{"content":' + axiom.quoted(text.substring(0, DISCORD_CHARACTERS_MAX)) + "}";
  return '{"text":' + axiom.quoted(text) + "}";
}
