import type { Bytes } from "../../base/bytes.ts";
import { messageOf } from "../../base/errors.ts";
import { LIMITS } from "../../base/limits.ts";
import { ServiceRefusal } from "../capability_service.ts";

const BUFFER_BYTES = 64 * 1024;

export interface HttpPlace {
  /** What the certificate must be for. */
  readonly host: string;
  /** Where to connect to: the address that was judged, never looked up again. */
  readonly address: string;
  readonly port: number;
  readonly isSecure: boolean;
  /** Trusted besides those of the system, in PEM. */
  readonly certificates: readonly string[];
}

/** One connection, read through a buffer. Everything throws `ServiceRefusal`, `transient` for what may work later. */
export class HttpConnection {
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #from = 0;
  #to = 0;
  /** Something of the present response has arrived. */
  hasAnswered = false;

  private constructor(readonly place: HttpPlace, readonly connection: Deno.Conn) {}

  static async open(place: HttpPlace, signal: AbortSignal): Promise<HttpConnection> {
    const opening = Deno.connect({ hostname: place.address, port: place.port });
    const tcp = await patiently(
      opening,
      LIMITS.pluginHttpConnectMs,
      signal,
      () => opening.then((late) => late.close()),
    );
    if (!place.isSecure) return new HttpConnection(place, tcp);
    const hostname = place.host.replace(/^\[(.*)\]$/, "$1");
    let tls: Deno.TlsConn | undefined;
    const secure = async () => {
      tls = await Deno.startTls(tcp, { hostname, caCerts: [...place.certificates] });
      await tls.handshake();
      return tls;
    };
    const close = () => closeQuietly(tls ?? tcp);
    try {
      return new HttpConnection(place, await patiently(secure(), LIMITS.pluginHttpConnectMs, signal, close));
    } catch (error) {
      close();
      const isUntrusted = /certificate|tls|ssl/i.test(messageOf(error));
      throw isUntrusted ? new ServiceRefusal("permanent", `its server is not trusted: ${messageOf(error)}`) : error;
    }
  }

  /** Nothing of an answer is there that nobody asked for. */
  get isClean(): boolean {
    return this.#from === this.#to;
  }

  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) {
      at += await patiently(this.connection.write(data.subarray(at)), LIMITS.pluginHttpIdleMs, undefined, this.#closer);
    }
  }

  /** A line without its end; more than `bytesMax` is `quota`. */
  async line(bytesMax: number): Promise<string> {
    let text = "";
    for (;;) {
      const part = this.#buffer.subarray(this.#from, this.#to), end = part.indexOf(0x0a);
      text += latin1(end < 0 ? part : part.subarray(0, end));
      if (text.length > bytesMax) {
        throw new ServiceRefusal("quota", `a server sent more than ${bytesMax} bytes of headers`);
      }
      this.#from += end < 0 ? part.length : end + 1;
      if (end >= 0) return text.endsWith("\r") ? text.slice(0, -1) : text;
      if (!await this.#fill()) throw new ServiceRefusal("transient", "the connection ended too early");
    }
  }

  /** The next bytes, at most so many; none at the end of the connection. */
  async read(bytesMax: number): Promise<Bytes> {
    if (this.isClean && !await this.#fill()) return new Uint8Array(0);
    const part = this.#buffer.slice(this.#from, Math.min(this.#to, this.#from + bytesMax));
    this.#from += part.length;
    return part;
  }

  async #fill(): Promise<boolean> {
    this.#from = this.#to = 0;
    const reading = this.connection.read(this.#buffer);
    const length = await patiently(reading, LIMITS.pluginHttpIdleMs, undefined, this.#closer);
    this.#to = length ?? 0;
    if (this.#to > 0) this.hasAnswered = true;
    return this.#to > 0;
  }

  readonly #closer = () => this.close();

  close(): void {
    closeQuietly(this.connection);
  }
}

function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch { /* it is closed */ }
}

/** Waits no longer than `limitMs`; `giveUp` ends what is waited for. */
async function patiently<T>(
  task: Promise<T>,
  limitMs: number,
  signal: AbortSignal | undefined,
  giveUp: () => unknown,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (why: string) => reject(new ServiceRefusal("transient", why));
  const timer = setTimeout(() => stop(`nothing came for ${limitMs} ms`), limitMs);
  const onAbort = () => stop("nobody waits any more");
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await Promise.race([task, promise]);
  } catch (error) {
    task.catch(() => {});
    void Promise.resolve(giveUp()).catch(() => {});
    if (error instanceof ServiceRefusal) throw error;
    throw new ServiceRefusal("transient", `the connection failed: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function latin1(data: Uint8Array): string {
  let text = "";
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return text;
}
