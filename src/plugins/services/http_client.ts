import process from "node:process";
import type { Bytes } from "../../base/bytes.ts";
import { concat } from "../../base/bytes.ts";
import { ServiceRefusal } from "../capability_service.ts";
import { HttpConnection, type HttpPlace } from "./http_connection.ts";
import { headOf, type HttpRequest } from "./http_request.ts";
import { type HttpResponse, readResponse } from "./http_response.ts";
import { IdleConnections } from "./idle_connections.ts";
import { addressOfHost, isPublicAddress } from "./public_address.ts";

export interface ClientSettings {
  /** Whether a host may have an address that is not public. */
  mayBePrivate(host: string): boolean;
  /** All addresses of a name; throws if there are none. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  /** Trusted besides those of the system, in PEM. */
  readonly certificates?: readonly string[];
}

/** RFC 9110, 9.2.2: sent again where a connection that was kept turns out to be closed. */
const IDEMPOTENT = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PROPFIND"];
const LATIN1_MAX = 0xff;

/**
 * HTTP/1.1 to addresses that were judged: a name is looked up once, and the connection made to an address that passed, so
 * that no second answer of a name server can lead elsewhere. Everything throws `ServiceRefusal`.
 */
export class HttpClient {
  readonly #idle = new IdleConnections();

  constructor(readonly settings: ClientSettings) {}

  /** Where a request may go to; `capability_denied` if nowhere. What is secret goes to nobody unknown without encryption. */
  async #places({ host, port, isSecure }: HttpRequest, isSecret: boolean): Promise<HttpPlace[]> {
    const { resolve = systemResolve, certificates = [], mayBePrivate } = this.settings;
    const literal = addressOfHost(host);
    const addresses = literal === undefined ? await resolve(host).catch(() => noAddress(host)) : [literal];
    const fit = addresses.filter((address) => mayBePrivate(host) || isPublicAddress(address));
    if (fit.length === 0) {
      throw new ServiceRefusal("capability_denied", `it asked for ${host}, whose address ${addresses[0]} is private`);
    }
    const safe = isSecure || !isSecret ? fit : fit.filter((address) => !isPublicAddress(address));
    if (safe.length === 0) {
      throw new ServiceRefusal("permanent", `credentials for ${host} are not sent without encryption`);
    }
    return safe.map((address) => ({ host, address, port, isSecure, certificates }));
  }

  /** @param more Headers that count whatever the request says */
  async send(
    request: HttpRequest,
    more: Readonly<Record<string, string>>,
    body: Bytes,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const { method } = request, message = concat([latin1(headOf(request, more)), body]);
    const kept = IDEMPOTENT.includes(method) ? this.#idle.take(request) : undefined;
    if (kept !== undefined) {
      try {
        return await this.#exchange(kept, message, method, signal);
      } catch (error) {
        if (kept.hasAnswered || signal.aborted) throw error;
      }
    }
    return await this.#exchange(await this.#open(request, "authorization" in more, signal), message, method, signal);
  }

  close(): void {
    this.#idle.close();
  }

  async #open(request: HttpRequest, isSecret: boolean, signal: AbortSignal): Promise<HttpConnection> {
    let failure: unknown;
    for (const place of await this.#places(request, isSecret)) {
      try {
        return await HttpConnection.open(place, signal);
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  async #exchange(
    connection: HttpConnection,
    message: Bytes,
    method: string,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const close = () => connection.close();
    signal.addEventListener("abort", close, { once: true });
    const written = connection.write(message).catch(() => {}); // an answer may come before its end
    const onEnd = (canGoOn: boolean) => {
      signal.removeEventListener("abort", close);
      if (canGoOn) void written.then(() => this.#idle.put(connection));
      else close();
    };
    try {
      return await readResponse(connection, method, onEnd);
    } catch (error) {
      onEnd(false);
      throw error;
    }
  }
}

/** As every program of this machine does it, `/etc/hosts` included. */
async function systemResolve(host: string): Promise<string[]> {
  Object.assign(process, { noDeprecation: true }); // the platform's module warns of one that it uses itself
  const { lookup } = await import("node:dns/promises");
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

function noAddress(host: string): never {
  throw new ServiceRefusal("permanent", `the name ${host} does not exist, or nobody can tell its address`);
}

function latin1(text: string): Bytes {
  return Uint8Array.from(text, (letter) => Math.min(letter.charCodeAt(0), LATIN1_MAX));
}
