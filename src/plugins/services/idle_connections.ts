import { LIMITS } from "../../base/limits.ts";
import type { HttpConnection, HttpPlace } from "./http_connection.ts";

type Where = Pick<HttpPlace, "host" | "port" | "isSecure">;

/** Connections that wait for the next request to the same host, a few and not for long. */
export class IdleConnections {
  readonly #idle: { connection: HttpConnection; timer: number }[] = [];
  #isClosed = false;

  /** The one that was used last. */
  take({ host, port, isSecure }: Where): HttpConnection | undefined {
    const at = this.#idle.findLastIndex(({ connection: { place } }) =>
      place.host === host && place.port === port && place.isSecure === isSecure
    );
    if (at < 0) return undefined;
    const [{ connection, timer }] = this.#idle.splice(at, 1);
    clearTimeout(timer);
    connection.hasAnswered = false;
    return connection;
  }

  put(connection: HttpConnection): void {
    if (this.#isClosed) return connection.close();
    const timer = setTimeout(() => this.#end(connection), LIMITS.pluginHttpKeptMs);
    Deno.unrefTimer(timer);
    this.#idle.push({ connection, timer });
    if (this.#idle.length > LIMITS.pluginHttpKeptMax) this.#end(this.#idle[0].connection);
  }

  close(): void {
    this.#isClosed = true;
    for (const { connection } of [...this.#idle]) this.#end(connection);
  }

  #end(connection: HttpConnection): void {
    const at = this.#idle.findIndex((each) => each.connection === connection);
    if (at >= 0) clearTimeout(this.#idle.splice(at, 1)[0].timer);
    connection.close();
  }
}
