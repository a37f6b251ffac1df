/**
 * Responses of HTTP/1.1, RFC 9112. Strict, because what two readers could understand differently is what attacks are made of:
 * one length, one coding, no folded lines. Own code, since the platform's clients look a name up by themselves, and those
 * that take an open connection do not check the certificate for the name.
 */
import type { Bytes } from "../../base/bytes.ts";
import { LIMITS } from "../../base/limits.ts";
import { type ServiceBody, ServiceRefusal } from "../capability_service.ts";
import type { HttpConnection } from "./http_connection.ts";

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: .*)?$/;
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;
const CONTROL = /[^\t\x20-\x7e\x80-\xff]/;
const CHUNK_LINE = /^([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?$/;
const CHUNK_LINE_BYTES_MAX = 4096;
const INTERIM_MAX = 10;

export interface HttpResponse {
  readonly status: number;
  /** Names in small letters; values of a name that comes several times are joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: ServiceBody;
}

interface Head {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly isPersistent: boolean;
}

/**
 * The final response to a request of `method`.
 *
 * @param onEnd Told once that the body is read, and whether the connection can be used again, or that it is not wanted
 */
export async function readResponse(
  connection: HttpConnection,
  method: string,
  onEnd: (canGoOn: boolean) => void,
): Promise<HttpResponse> {
  for (let i = 0; i < INTERIM_MAX; i++) {
    const head = await readHead(connection);
    if (head.status === 101) throw malformed("it changed the protocol");
    if (head.status < 200) continue;
    const { status, headers, isPersistent } = head;
    const parts = partsOf(connection, method, head);
    const canGoOn = isPersistent && !parts.endsWithConnection;
    return { status, headers, body: bounded(parts, (isWhole) => onEnd(isWhole && canGoOn && connection.isClean)) };
  }
  throw malformed("it does not come to an end with interim answers");
}

async function readHead(connection: HttpConnection): Promise<Head> {
  let left = LIMITS.pluginHttpHeadBytesMax;
  const line = async () => {
    const text = await connection.line(left);
    left -= text.length + 2;
    if (CONTROL.test(text)) throw malformed("its headers hold control characters");
    return text;
  };
  const match = STATUS_LINE.exec(await line());
  if (match === null) throw malformed("it does not begin with a status of HTTP/1");
  const headers: Record<string, string> = Object.create(null);
  for (let text = await line(); text !== ""; text = await line()) {
    const [, name, value] = HEADER_LINE.exec(text) ?? [];
    if (name === undefined) throw malformed("a line of it is no header");
    const key = name.toLowerCase();
    if (key in headers && key === "content-length" && headers[key] !== value) throw malformed("it has two lengths");
    headers[key] = key in headers && key !== "content-length" ? `${headers[key]}, ${value}` : value;
  }
  const connections = (headers.connection ?? "").toLowerCase().split(/\s*,\s*/);
  const isPersistent = match[1] === "1" ? !connections.includes("close") : connections.includes("keep-alive");
  return { status: Number(match[2]), headers, isPersistent };
}

/** Throws where it breaks off; none at the end. */
type Next = (bytesMax: number) => Promise<Bytes>;

interface Parts {
  readonly next: Next;
  /** Whether all of it was read, as far as that is known without another look. */
  isDone(): boolean;
  readonly endsWithConnection: boolean;
}

function partsOf(connection: HttpConnection, method: string, head: Head): Parts {
  const { "transfer-encoding": coding, "content-length": lengthText } = head.headers;
  if (method === "HEAD" || head.status === 204 || head.status === 304) {
    return { next: () => Promise.resolve(new Uint8Array(0)), isDone: () => true, endsWithConnection: false };
  }
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked") throw malformed(`its coding is ${coding.slice(0, 40)}`);
    return { next: chunks(connection), isDone: () => false, endsWithConnection: lengthText !== undefined };
  }
  if (lengthText === undefined) {
    return { next: (bytesMax) => connection.read(bytesMax), isDone: () => false, endsWithConnection: true };
  }
  if (!/^[0-9]{1,15}$/.test(lengthText)) throw malformed(`its length is ${lengthText.slice(0, 40)}`);
  let left = Number(lengthText);
  return {
    endsWithConnection: false,
    isDone: () => left === 0,
    async next(bytesMax) {
      if (left === 0) return new Uint8Array(0);
      const part = await connection.read(Math.min(left, bytesMax));
      if (part.length === 0) throw brokenOff(`${left} bytes before its end`);
      left -= part.length;
      return part;
    },
  };
}

function chunks(connection: HttpConnection): Next {
  let left = 0, isAtEnd = false, isFirst = true;
  return async (bytesMax) => {
    if (left === 0 && !isAtEnd) {
      if (!isFirst && await connection.line(2) !== "") throw malformed("a part is longer than it says");
      isFirst = false;
      const match = CHUNK_LINE.exec(await connection.line(CHUNK_LINE_BYTES_MAX));
      if (match === null) throw malformed("a part has no length");
      left = parseInt(match[1], 16);
      isAtEnd = left === 0;
      if (isAtEnd) await skipTrailers(connection);
    }
    if (isAtEnd) return new Uint8Array(0);
    const part = await connection.read(Math.min(left, bytesMax));
    if (part.length === 0) throw brokenOff("before its last part");
    left -= part.length;
    return part;
  };
}

async function skipTrailers(connection: HttpConnection): Promise<void> {
  let left = LIMITS.pluginHttpHeadBytesMax;
  for (let text = await connection.line(left); text !== ""; text = await connection.line(left)) left -= text.length + 2;
}

function bounded({ next, isDone }: Parts, onEnd: (isWhole: boolean) => void): ServiceBody {
  let total = 0, isOpen = true;
  const end = (isWhole: boolean) => {
    if (isOpen) onEnd(isWhole);
    isOpen = false;
  };
  if (isDone()) end(true);
  return {
    async read(bytesMax) {
      if (!isOpen) return new Uint8Array(0);
      try {
        const part = await next(bytesMax);
        total += part.length;
        if (total > LIMITS.pluginHttpBodyBytesMax) {
          throw new ServiceRefusal("quota", `a response is longer than ${LIMITS.pluginHttpBodyBytesMax} bytes`);
        }
        if (part.length === 0 || isDone()) end(true);
        return part;
      } catch (error) {
        end(false);
        throw error;
      }
    },
    cancel: () => end(false),
  };
}

function malformed(why: string): ServiceRefusal {
  return new ServiceRefusal("permanent", `the server's answer is no HTTP: ${why}`);
}

function brokenOff(where: string): ServiceRefusal {
  return new ServiceRefusal("transient", `the response broke off ${where}`);
}
