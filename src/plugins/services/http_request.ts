/** What a plugin may send: the form of a request, and what was granted. */
import type { Json } from "../../base/canonical_json.ts";
import { LIMITS } from "../../base/limits.ts";
import { TOOL_VERSION } from "../../base/version.ts";
import type { Capability } from "../capabilities.ts";
import { ServiceRefusal } from "../capability_service.ts";
import { addressOfHost } from "./public_address.ts";

export interface HttpRequest {
  readonly method: string;
  readonly isSecure: boolean;
  /** As in the URL: a name in small letters, or an address, which has brackets if it is of IPv6. */
  readonly host: string;
  readonly port: number;
  /** Path and query. */
  readonly target: string;
  /** In small letters. Neither those of one connection nor what the host itself says are among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** RFC 9110, 5.6.2 */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Of one connection (RFC 9110, 7.6.1), or the host's own affair. */
const NOT_THE_PLUGINS = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "content-length",
  "http2-settings",
]);

/** Throws `ServiceRefusal`: `invalid_input` for the form, `capability_denied` for what was not granted. */
export function httpRequest(asked: Json, granted: Capability): HttpRequest {
  const { method, url: text, headers = {} } = (asked ?? {}) as Record<string, unknown>;
  if (typeof method !== "string" || typeof text !== "string" || !URL.canParse(text)) {
    throw new ServiceRefusal("invalid_input", "a request has a method and a URL");
  }
  const url = new URL(text), isSecure = url.protocol === "https:";
  if (!isSecure && url.protocol !== "http:") throw new ServiceRefusal("invalid_input", `${url.protocol} is not HTTP`);
  if (url.username !== "" || url.password !== "") {
    throw new ServiceRefusal("invalid_input", "a URL has no user and no password");
  }
  const port = url.port === "" ? (isSecure ? 443 : 80) : Number(url.port);
  const { methods = ["GET"], hosts = [] } = granted;
  if (!methods.includes(method)) {
    throw new ServiceRefusal("capability_denied", `it sent ${method.slice(0, 40)}, and only ${methods} was granted`);
  }
  if (!hosts.some((pattern) => matchesHost(pattern, url.hostname, port))) {
    throw new ServiceRefusal("capability_denied", `it asked for ${url.hostname}:${port}, which was not granted`);
  }
  const target = url.pathname + url.search;
  const request = { method, isSecure, host: url.hostname, port, target, headers: headersOf(headers) };
  if (headOf(request).length > LIMITS.pluginHttpHeadBytesMax) {
    throw new ServiceRefusal("quota", "its headers are too long");
  }
  return request;
}

/** @param pattern `host`, `host:port` or `*.domain`, with 443 where no port is given */
function matchesHost(pattern: string, host: string, port: number): boolean {
  const [, name, number = "443"] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(pattern.toLowerCase().replace(/^\[/, "["))!;
  if (Number(number) !== port) return false;
  if (!name.startsWith("*.")) return name === host;
  return addressOfHost(host) === undefined && host.endsWith(name.slice(1)) && host.length >= name.length;
}

function headersOf(given: unknown): Record<string, string> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ServiceRefusal("invalid_input", "headers are an object");
  }
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(given)) {
    if (!TOKEN.test(name) || typeof value !== "string" || !VALUE.test(value)) {
      throw new ServiceRefusal("invalid_input", `${JSON.stringify(name.slice(0, 40))} is no header with a text`);
    }
    if (!NOT_THE_PLUGINS.has(name.toLowerCase())) headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** The bytes before the body, as Latin-1. */
export function headOf(request: HttpRequest, more: Readonly<Record<string, string>> = {}): string {
  const { method, host, port, isSecure, target, headers } = request;
  const authority = port === (isSecure ? 443 : 80) ? host : `${host}:${port}`;
  const common = { "user-agent": `axiom/${TOOL_VERSION}`, "accept-encoding": "identity" };
  const lines = Object.entries({ host: authority, ...common, ...headers, ...more });
  return `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
}
