import { type Bytes, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { CapabilityName } from "./capabilities.ts";
import { type CapabilityService, type HostServices, type ServiceAnswer, ServiceRefusal } from "./capability_service.ts";
import { repoService } from "./services/repo_service.ts";

/** Of the one snapshot in the repository that plugins see while they are tried. */
export const SNAPSHOT_ID = "5a".repeat(32);
export const STARTED = "2026-11-22T17:30:00.000000000Z";

/** How the network answers: with a status, like a server that is not there, or never. */
export type Network = number | "down" | "silent";

/** The world outside of the sandbox, while a plugin is tried: nothing is sent, read or kept. */
export class StandIns implements HostServices {
  network: Network = 204;
  /** That were sent. */
  requests = 0;
  /** Resolved by the first request of a network that is silent. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }
  readonly #asked = Promise.withResolvers<void>();
  readonly #notes = new Map<string, Bytes>();

  open(name: CapabilityName): CapabilityService | undefined {
    const answer = this.#answers[name];
    if (name === "repo") return repoService(() => Promise.resolve(REPOSITORY));
    return answer && { bodyBytesMax: 80 << 20, answer };
  }

  readonly #answers: Partial<Record<CapabilityName, CapabilityService["answer"]>> = {
    "net.http": (_request, _body, signal) => this.#send(signal),
    kv: (request, body) => this.#note(request as { op: string; key: string }, body),
    files: () => {
      throw new ServiceRefusal("not_found", "there is no such file while a plugin is tried");
    },
  };

  async #send(signal: AbortSignal): Promise<ServiceAnswer> {
    this.requests++;
    if (this.network === "down") throw new ServiceRefusal("transient", "nobody answers");
    if (this.network === "silent") await this.#wait(signal);
    return { response: utf8(JSON.stringify({ status: this.network, headers: {} })) };
  }

  #wait(signal: AbortSignal): Promise<never> {
    this.#asked.resolve();
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(new ServiceRefusal("cancelled", "nobody waits any more")));
    });
  }

  #keep(key: string, value: Bytes): void {
    const others = [...this.#notes].filter(([name]) => name !== key).map(([, { length }]) => length);
    const bytes = others.reduce((sum, length) => sum + length, value.length);
    if (bytes > LIMITS.pluginKvBytesMax) throw new ServiceRefusal("quota", "there is no room for so many notes");
    this.#notes.set(key, value.slice());
  }

  #note({ op, key }: { op: string; key: string }, body: Bytes): ServiceAnswer {
    if (op === "keys") return { response: utf8(JSON.stringify([...this.#notes.keys()].sort())) };
    if (op === "set") this.#keep(key, body);
    if (op === "delete") this.#notes.delete(key);
    const response = op === "get" ? this.#notes.get(key) : new Uint8Array(0);
    if (response === undefined) throw new ServiceRefusal("not_found", "there is no such key");
    return { response };
  }
}

const REPOSITORY = {
  snapshots: () =>
    Promise.resolve([{
      ...{ id: SNAPSHOT_ID, time_ns: "1795368600000000000", host: "host", paths: ["/home"], tags: [] },
      ...{ mode: "full", parent: null, files: 1, bytes: 12 },
    }]),
  // deno-lint-ignore require-yield
  async *entries() {
    await Promise.resolve();
    throw new AxiomError("path_missing", "Cannot list a folder: there is none while a plugin is tried");
  },
};
