// Gives documents of a web server, each by its address.
import * as axiom from "../../plugin-pdk/assemblyscript/axiom";
export { axiom_abi_1, teardown } from "../../plugin-pdk/assemblyscript/axiom";

let url = "";
let documents: string[] = [];

export function initialize(): i32 {
  const configuration = axiom.header();
  url = configuration.string("url");
  documents = [];
  const words = configuration.string("documents").split(" ");
  for (let i = 0; i < words.length; i++) if (words[i] != "") documents.push(words[i]);
  return 0;
}

export function validate(): i32 {
  if (url.startsWith("https://") || url.startsWith("http://")) return 0;
  return axiom.fail(axiom.INVALID_INPUT, "its option url is no address of a web server");
}

export function execute(): i32 {
  if (axiom.operation() == axiom.LIST) return list();
  if (axiom.operation() == axiom.READ) return readPart(axiom.header());
  return axiom.UNSUPPORTED;
}

// A file's name, in which no / can stand.
function nameOf(document: string): string {
  return document.replaceAll("/", "_");
}

function list(): i32 {
  let entries = "";
  for (let i = 0; i < documents.length; i++) {
    const response = send("HEAD", documents[i], "{}");
    if (response.error != 0) return axiom.fail(response.error, response.header.string("message"));
    if (response.status >= 500) return axiom.fail(classOf(response.status), "the server answers " + response.status.toString());
    entries += (i == 0 ? "" : ",") + '{"name":' + axiom.quoted(nameOf(documents[i])) + aboutOf(response) + "}";
  }
  axiom.setResult('{"entries":[' + entries + "]}");
  return 0;
}

// Only what is of one version can be asked for part by part, and has one length.
function aboutOf(response: axiom.Response): string {
  const headers = response.header.object("headers");
  const version = headers.string("etag");
  if (response.status != 200 || !version.startsWith('"')) return "";
  const length = headers.string("content-length");
  const isPlain = headers.string("content-encoding") == "" && length != "";
  return ',"version":' + axiom.quoted(version) + (isPlain ? ',"length":' + length : "");
}

function readPart(header: axiom.Header): i32 {
  let document = "";
  for (let i = 0; i < documents.length; i++) if (nameOf(documents[i]) == header.string("name")) document = documents[i];
  if (document == "") return axiom.fail(axiom.NOT_FOUND, "none of the documents has this name");
  const version = header.string("version");
  const offset = header.integer("offset");
  const length = header.integer("length");
  const from: i64 = version == "" ? 0 : offset;
  const range = '"range":"bytes=' + from.toString() + "-" + (from + length).toString() + '"';
  const match = version == "" ? "" : ',"if-match":' + axiom.quoted(version);
  const response = send("GET", document, "{" + range + match + "}");
  if (response.error != 0) return axiom.fail(response.error, response.header.string("message"));
  const status = response.status;
  if (status == 416) return 0; // nothing is there any more
  if (status != 200 && status != 206) return axiom.fail(classOf(status), "the server answers " + status.toString());
  if (version == "" && response.body.length > length) {
    return axiom.fail(axiom.UNSUPPORTED, "it is long and has no ETag: its parts could be of different versions");
  }
  const skipped = status == 200 || version == "" ? offset : 0;
  const start = <i32> min<i64>(skipped, response.body.length);
  const end = <i32> min<i64>(start + length, response.body.length);
  axiom.write(response.body.subarray(start, end));
  return 0;
}

function send(method: string, document: string, headers: string): axiom.Response {
  const request = '{"method":"' + method + '","url":' + axiom.quoted(url + document) + ',"headers":' + headers + "}";
  return axiom.http(request, new Uint8Array(0));
}

function classOf(status: i32): i32 {
  if (status == 401 || status == 403) return axiom.AUTH;
  if (status == 404 || status == 410) return axiom.NOT_FOUND;
  if (status == 412) return axiom.CONFLICT;
  return status == 408 || status == 429 || status >= 500 ? axiom.TRANSIENT : axiom.PERMANENT;
}
