// Gives documents of a web server, each by its address.
import * as axiom from "../../plugin-pdk/assemblyscript/axiom";
export { axiom_abi_1, teardown } from "../../plugin-pdk/assemblyscript/axiom";

const EXAMPLE = '["source_http.url=https://api.example/v1/", "source_http.documents=users issues"]';

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

// What is not set yet is no fault before something is to be read.
export function validate(): i32 {
  const fault = faultOfOptions();
  return fault == "" ? 0 : axiom.fail(axiom.INVALID_INPUT, fault);
}

function faultOfOptions(): string {
  if (holdsOption(url)) return alone("url");
  for (let i = 0; i < documents.length; i++) if (holdsOption(documents[i])) return alone("documents");
  const isAddress = url == "" || url.startsWith("https://") || url.startsWith("http://");
  return isAddress ? "" : "its option url is no address of a web server";
}

function holdsOption(value: string): bool {
  return value.includes("source_http.url=") || value.includes("source_http.documents=");
}

function alone(option: string): string {
  return "its option " + option + " has another option in it; each is an item of its own of plugins.options: " + EXAMPLE;
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
  const fault = faultOfOptions();
  if (fault != "") return axiom.fail(axiom.INVALID_INPUT, fault);
  if (url == "") return axiom.fail(axiom.INVALID_INPUT, missing("url"));
  if (documents.length == 0) return axiom.fail(axiom.INVALID_INPUT, missing("documents"));
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

function missing(option: string): string {
  return "its option " + option + " is not set; plugins.options has both, such as " + EXAMPLE;
}

// Only what is of one version can be asked for part by part, and has one length.
function aboutOf(response: axiom.Response): string {
  const headers = response.header.object("headers");
  const version = headers.string("etag");
  if (response.status != 200 || !isStrong(version) || isEncoded(headers)) return "";
  const length = headers.string("content-length");
  return ',"version":' + axiom.quoted(version) + (length == "" ? "" : ',"length":' + length);
}

function isStrong(etag: string): bool {
  return etag.length >= 2 && etag.startsWith('"') && etag.indexOf('"', 1) == etag.length - 1;
}

// The host asks for identity.
function isEncoded(headers: axiom.Header): bool {
  const encoding = headers.string("content-encoding").toLowerCase();
  return encoding != "" && encoding != "identity";
}

// The cursor is the length that the parts before had as their total.
function readPart(header: axiom.Header): i32 {
  let document = "";
  for (let i = 0; i < documents.length; i++) if (nameOf(documents[i]) == header.string("name")) document = documents[i];
  if (document == "") return axiom.fail(axiom.NOT_FOUND, "none of the documents has this name");
  const version = header.string("version");
  const offset = header.integer("offset");
  const last = offset + header.integer("length") - 1;
  if (offset > 0 && !header.has("cursor")) return 0; // the part before was the last one
  const range = '"range":"bytes=' + offset.toString() + "-" + last.toString() + '"';
  const match = version == "" ? "" : ',"if-match":' + axiom.quoted(version);
  const response = send("GET", document, "{" + range + match + "}");
  if (response.error != 0) return axiom.fail(response.error, response.header.string("message"));
  const status = response.status;
  if (status == 200 || status == 206 || status == 416) return give(response, version, header.string("cursor"), offset, last);
  return axiom.fail(classOf(status), "the server answers " + status.toString());
}

// Nothing that the server did not say to be exactly these bytes of this version.
function give(response: axiom.Response, version: string, cursor: string, offset: i64, last: i64): i32 {
  const headers = response.header.object("headers");
  const status = response.status;
  if (status != 416 && isEncoded(headers)) {
    return axiom.fail(axiom.UNSUPPORTED, "the server encodes it, and was asked not to: " + headers.string("content-encoding"));
  }
  const etag = headers.string("etag");
  if (status != 416 && version != "" && etag != version) {
    return axiom.fail(axiom.CONFLICT, "it is " + version + ", and the server answers with " + (etag == "" ? "no ETag" : etag));
  }
  const total = totalOf(response, offset, last);
  if (total < 0) {
    const asked = "bytes " + offset.toString() + "-" + last.toString();
    return axiom.fail(axiom.PERMANENT, "the server answers " + status.toString() + " to " + asked + " with " + contentOf(response));
  }
  if (cursor != "" && cursor != total.toString()) {
    return axiom.fail(axiom.CONFLICT, "it had " + cursor + " bytes, and has " + total.toString());
  }
  const end = offset + (status == 416 ? 0 : response.body.length);
  if (version == "" && (end < total || end > last + 1)) {
    return axiom.fail(axiom.UNSUPPORTED, "it is long and has no strong ETag: its parts could be of different versions");
  }
  if (status == 200 && (offset > 0 || end > last + 1)) {
    return axiom.fail(axiom.UNSUPPORTED, "it is long, and the server gives no parts of it");
  }
  if (status != 416) axiom.write(response.body);
  if (end < total) axiom.setResult('{"cursor":"' + total.toString() + '"}');
  return 0;
}

// The length of the whole document, or -1 where the answer is not what was asked for.
function totalOf(response: axiom.Response, offset: i64, last: i64): i64 {
  const headers = response.header.object("headers");
  const size: i64 = response.body.length;
  if (response.status == 200) {
    const stated = headers.string("content-length");
    return stated == "" || stated == size.toString() ? size : -1;
  }
  const range = headers.string("content-range").toLowerCase();
  if (response.status == 416) return range == "bytes */0" ? 0 : -1;
  if (headers.string("content-type").toLowerCase().startsWith("multipart/byteranges")) return -1;
  const end = offset + size - 1;
  const total = I64.parseInt(range.substring(range.lastIndexOf("/") + 1));
  const isWithin = size > 0 && end <= last && end < total;
  const wanted = "bytes " + offset.toString() + "-" + end.toString() + "/" + total.toString();
  return isWithin && range == wanted ? total : -1;
}

function contentOf(response: axiom.Response): string {
  const range = response.header.object("headers").string("content-range");
  return response.body.length.toString() + " bytes and " + (range == "" ? "no Content-Range" : "Content-Range " + range);
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
