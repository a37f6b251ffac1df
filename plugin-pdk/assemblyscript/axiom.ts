// What a plugin of AXIOM written in AssemblyScript needs: ABI 1 as plugin-pdk/abi.md has it. Copy it into a project as it is.
//
//   import * as axiom from "./axiom";
//   export { axiom_abi_1, validate, teardown } from "./axiom";
//   export function initialize(): i32 { return 0; }
//   export function execute(): i32 {
//     const operation = axiom.operation();
//     if (operation != axiom.ENCODE && operation != axiom.DECODE) return axiom.UNSUPPORTED;
//     axiom.write(axiom.readAll());
//     return 0;
//   }

export const ENCODE: u32 = 1;
export const DECODE: u32 = 2;
export const SEAL: u32 = 3;
export const OPEN: u32 = 4;
export const PUT: u32 = 5;
export const GET: u32 = 6;
export const STAT: u32 = 7;
export const LIST: u32 = 8;
export const DELETE: u32 = 9;
export const SELECT: u32 = 10;
export const PLAN: u32 = 11;
export const READ: u32 = 12;
export const RUN: u32 = 13;

// Classes of errors: what a function returns that is not 0.
export const INVALID_INPUT: i32 = 1;
export const UNSUPPORTED: i32 = 2;
export const CORRUPT_DATA: i32 = 3;
export const AUTH: i32 = 4;
export const NOT_FOUND: i32 = 5;
export const CONFLICT: i32 = 6;
export const TRANSIENT: i32 = 7;
export const QUOTA: i32 = 8;
export const PERMANENT: i32 = 9;
export const CANCELLED: i32 = 10;
export const INTERNAL: i32 = 11;
export const CAPABILITY_DENIED: i32 = 12;

@external("axiom:host/io@1", "read")
declare function hostRead(to: usize, capacity: i32): i32;
@external("axiom:host/io@1", "write")
declare function hostWrite(from: usize, length: i32): i32;
@external("axiom:host/io@1", "left")
declare function hostLeft(): i32;
@external("axiom:host/call@1", "op")
declare function hostOp(): u32;
@external("axiom:host/call@1", "params")
declare function hostParams(to: usize, capacity: i32): i32;
@external("axiom:host/call@1", "result")
declare function hostResult(json: usize, length: i32): i32;
@external("axiom:host/call@1", "fail")
declare function hostFail(error: i32, text: usize, length: i32): i32;
@external("axiom:host/call@1", "cancelled")
declare function hostCancelled(): i32;
@external("axiom:host/log@1", "log")
declare function hostLog(level: i32, text: usize, length: i32): i32;
@external("axiom:host/clock@1", "now")
declare function hostNow(): i64;
@external("axiom:host/clock@1", "monotonic")
declare function hostMonotonic(): i64;
@external("axiom:host/random@1", "fill")
declare function hostFill(to: usize, length: i32): i32;
@external("axiom:host/metric@1", "report")
declare function hostReport(name: usize, length: i32, value: f64): i32;
@external("axiom:host/kv@1", "get")
declare function hostGet(key: usize, keyLength: i32, to: usize, capacity: i32): i32;
@external("axiom:host/kv@1", "set")
declare function hostSet(key: usize, keyLength: i32, value: usize, length: i32): i32;
@external("axiom:host/kv@1", "delete")
declare function hostDelete(key: usize, keyLength: i32): i32;
@external("axiom:host/http@1", "send")
declare function hostSend(request: usize, length: i32, body: usize, bodyLength: i32): i32;
@external("axiom:host/http@1", "response")
declare function hostResponse(to: usize, capacity: i32): i32;
@external("axiom:host/http@1", "read")
declare function hostReadBody(to: usize, capacity: i32): i32;

export function axiom_abi_1(): i32 {
  return 0;
}

export function validate(): i32 {
  return 0;
}

export function teardown(): i32 {
  return 0;
}

export function operation(): u32 {
  return hostOp();
}

// True once nobody waits any more; then there are 250 ms left to return.
export function isCancelled(): bool {
  return hostCancelled() != 0;
}

// `return fail(CORRUPT_DATA, "the frame ends too early");`
export function fail(error: i32, message: string): i32 {
  const text = String.UTF8.encode(message);
  return hostFail(error, changetype<usize>(text), text.byteLength);
}

// Bytes of the input that were not read yet.
export function inputLeft(): i32 {
  return hostLeft();
}

// Fills `buffer` from the input and says how much of it; less than all of it only at the input's end.
export function read(buffer: Uint8Array): i32 {
  return hostRead(buffer.dataStart, buffer.length);
}

// What is left of the input.
export function readAll(): Uint8Array {
  const bytes = new Uint8Array(inputLeft());
  read(bytes);
  return bytes;
}

// Appends to the output. Ends the call where the output would be longer than the host wants.
export function write(bytes: Uint8Array): void {
  hostWrite(bytes.dataStart, bytes.length);
}

// Sets the result: JSON of at most 1 MiB.
export function setResult(json: string): void {
  const text = String.UTF8.encode(json);
  hostResult(changetype<usize>(text), text.byteLength);
}

export const LOG_ERROR: i32 = 0;
export const LOG_WARNING: i32 = 1;
export const LOG_INFO: i32 = 2;
export const LOG_DEBUG: i32 = 3;

// Needs the capability log.
export function log(level: i32, message: string): void {
  const text = String.UTF8.encode(message);
  hostLog(level, changetype<usize>(text), text.byteLength);
}

// Nanoseconds since 1970. Needs the capability clock.
export function nowNs(): i64 {
  return hostNow();
}

// Nanoseconds since an arbitrary moment. Needs the capability clock.
export function monotonicNs(): i64 {
  return hostMonotonic();
}

// Needs the capability random.
export function fillRandom(bytes: Uint8Array): void {
  hostFill(bytes.dataStart, bytes.length);
}

// `name` is of a-z, 0-9 and _. Needs the capability metric.
export function reportMetric(name: string, value: f64): void {
  const text = String.UTF8.encode(name);
  hostReport(changetype<usize>(text), text.byteLength, value);
}

// A note that an earlier call kept, or null. Needs the capability kv.
export function note(key: string): Uint8Array | null {
  const name = String.UTF8.encode(key);
  let value = new Uint8Array(0);
  while (true) {
    const length = hostGet(changetype<usize>(name), name.byteLength, value.dataStart, value.length);
    if (length < 0) return null;
    if (length <= value.length) return value.subarray(0, length);
    value = new Uint8Array(length);
  }
}

// Keeps a note on this machine, 1 MiB of all; answers 0 or QUOTA. Needs the capability kv.
export function keepNote(key: string, value: Uint8Array): i32 {
  const name = String.UTF8.encode(key);
  return hostSet(changetype<usize>(name), name.byteLength, value.dataStart, value.length);
}

// Needs the capability kv.
export function dropNote(key: string): void {
  const name = String.UTF8.encode(key);
  hostDelete(changetype<usize>(name), name.byteLength);
}

export class Response {
  constructor(
    // An error class where there was no response, else 0; then the header has a message.
    readonly error: i32,
    readonly header: Header,
    readonly body: Uint8Array,
  ) {}

  get status(): i32 {
    return <i32> this.header.integer("status");
  }
}

// Needs the capability net.http. `request` is JSON with `method`, `url` and `headers`.
export function http(request: string, body: Uint8Array): Response {
  const text = String.UTF8.encode(request);
  const error = hostSend(changetype<usize>(text), text.byteLength, body.dataStart, body.length);
  const about = new ArrayBuffer(hostResponse(0, 0));
  hostResponse(changetype<usize>(about), about.byteLength);
  if (error != 0) return new Response(error, new Header(String.UTF8.decode(about)), new Uint8Array(0));
  const bytes = new Array<u8>();
  const part = new Uint8Array(65536);
  for (let n = hostReadBody(part.dataStart, part.length); n > 0; n = hostReadBody(part.dataStart, part.length)) {
    for (let i = 0; i < n; i++) bytes.push(part[i]);
  }
  const content = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) content[i] = bytes[i];
  return new Response(0, new Header(String.UTF8.decode(about)), content);
}

// A text as JSON, with its quotes.
export function quoted(text: string): string {
  let json = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code == 0x22 || code == 0x5c) json += "\\" + String.fromCharCode(code);
    else if (code < 0x20) json += "\\u00" + (code < 16 ? "0" : "") + code.toString(16);
    else json += String.fromCharCode(code);
  }
  return json + '"';
}

// Of initialize the configuration, of execute what belongs to the operation.
export function header(): Header {
  const text = new ArrayBuffer(hostParams(0, 0));
  hostParams(changetype<usize>(text), text.byteLength);
  return new Header(String.UTF8.decode(text));
}

// One JSON object.
export class Header {
  constructor(readonly json: string) {}

  has(key: string): bool {
    return this.value(key).length > 0;
  }

  // 0 where the key is absent or holds something else.
  integer(key: string): i64 {
    const value = this.value(key);
    const first = value.length == 0 ? 0 : value.charCodeAt(0);
    return first == 0x2d || (first >= 0x30 && first <= 0x39) ? I64.parseInt(value) : 0;
  }

  boolean(key: string): bool {
    return this.value(key) == "true";
  }

  // Empty where the key is absent or holds something else.
  string(key: string): string {
    const value = this.value(key);
    if (!value.startsWith('"')) return "";
    let text = "";
    for (let i = 1; i < value.length - 1; i++) {
      const c = value.charAt(i);
      if (c != "\\") {
        text += c;
        continue;
      }
      const escaped = value.charAt(++i);
      if (escaped == "u") {
        text += String.fromCharCode(<i32> I64.parseInt(value.substring(i + 1, i + 5), 16));
        i += 4;
      } else if (escaped == "n") text += "\n";
      else if (escaped == "t") text += "\t";
      else if (escaped == "r") text += "\r";
      else if (escaped == "b") text += "\b";
      else if (escaped == "f") text += "\f";
      else text += escaped;
    }
    return text;
  }

  // An object in it; an empty one where the key is absent.
  object(key: string): Header {
    const value = this.value(key);
    return new Header(value.startsWith("{") ? value : "{}");
  }

  // The text of a value of the object itself, not of one in it.
  private value(key: string): string {
    const json = this.json;
    const wanted = '"' + key + '"';
    let depth = 0;
    for (let at = 0; at < json.length;) {
      const end = skip(json, at);
      const c = json.charCodeAt(at);
      if (depth == 1 && c == 0x22 && end < json.length && json.charCodeAt(end) == 0x3a && json.substring(at, end) == wanted) {
        let stop = end + 1;
        let inner = 0;
        while (stop < json.length) {
          const d = json.charCodeAt(stop);
          if (inner == 0 && (d == 0x2c || d == 0x7d)) break;
          if (d == 0x7b || d == 0x5b) inner++;
          if (d == 0x7d || d == 0x5d) inner--;
          stop = skip(json, stop);
        }
        return json.substring(end + 1, stop);
      }
      if (c == 0x7b || c == 0x5b) depth++;
      if (c == 0x7d || c == 0x5d) depth--;
      at = end;
    }
    return "";
  }
}

// Where the string or the single character at `at` ends.
function skip(json: string, at: i32): i32 {
  if (json.charCodeAt(at) != 0x22) return at + 1;
  let end = at + 1;
  while (end < json.length && json.charCodeAt(end) != 0x22) end += json.charCodeAt(end) == 0x5c ? 2 : 1;
  return end + 1;
}
