import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { admit } from "./admission.ts";
import { loadPlugin } from "./installed.ts";
import type { PluginFolder } from "./plugin_folder.ts";
import { readSignedPlugin } from "./signed_file.ts";
import type { Trust } from "./trust.ts";

interface Seen {
  readonly signature: string;
  readonly sinceMs: number;
  isRefused: boolean;
}

/**
 * Takes in what a person puts into the plugin folder as `*.wasm`: a file that is unchanged for a while is installed, in the place
 * of the version before if there is one, and taken away from where it lay. One that is refused stays, and is told of once.
 */
export class DropBox {
  readonly #seen = new Map<string, Seen>();

  constructor(
    readonly folder: PluginFolder,
    /** Nobody named these files: unless the configuration says otherwise, they must be signed. */
    readonly trust: Trust,
    readonly clock: Clock,
    readonly onRefused: (name: string, why: AxiomError) => void,
  ) {}

  /** Returns the ids of plugins that were installed. */
  async look(): Promise<string[]> {
    const taken: string[] = [];
    const names = await this.#names();
    for (const name of this.#seen.keys()) if (!names.includes(name)) this.#seen.delete(name);
    for (const name of names) {
      const ageMs = await this.#ageMs(name);
      if (ageMs === undefined || ageMs < LIMITS.pluginSettleMs || this.#seen.get(name)!.isRefused) continue;
      const id = await this.#take(name, ageMs);
      if (id !== undefined) taken.push(id);
    }
    return taken;
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(this.folder.path)) {
        if (isFile && name.endsWith(".wasm") && !name.startsWith(".")) names.push(name);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return names.sort();
  }

  /** For how long it has been as it is; undefined where it has gone. */
  async #ageMs(name: string): Promise<number | undefined> {
    const signature = await this.#signature(name), nowMs = this.clock.monotonicMs();
    if (signature === undefined) return undefined;
    const known = this.#seen.get(name);
    if (known?.signature === signature) return nowMs - known.sinceMs;
    this.#seen.set(name, { signature, sinceMs: nowMs, isRefused: false });
    return 0;
  }

  /** Changes with the file and with its signature; undefined where the file has gone. */
  async #signature(name: string): Promise<string | undefined> {
    const signatures: string[] = [];
    for (const each of [name, `${name}.minisig`]) {
      const info = await Deno.stat(join(this.folder.path, each)).catch(() => undefined);
      if (info === undefined && each === name) return undefined;
      signatures.push(`${info?.size} ${info?.mtime?.getTime()} ${info?.ino}`);
    }
    return signatures.join(" ");
  }

  async #take(name: string, ageMs: number): Promise<string | undefined> {
    const path = join(this.folder.path, name);
    try {
      const file = await readSignedPlugin(path);
      const { manifest: { pluginId } } = admit(file.bytes, { name });
      const replaces = (await this.folder.list()).some((each) => each.pluginId === pluginId);
      await loadPlugin(this.folder, file, this.trust, { replaces, tryWith: this.clock });
      if (await this.#signature(name) !== this.#seen.get(name)!.signature) return pluginId; // a newer one lies there
      await Deno.remove(path).catch(() => {}); // another process took it in at the same time
      await Deno.remove(`${path}.minisig`).catch(() => {});
      return pluginId;
    } catch (error) {
      if (!(error instanceof AxiomError)) throw error;
      if (ageMs < LIMITS.pluginPauseMs) return undefined;
      this.#seen.get(name)!.isRefused = true;
      this.onRefused(displayName(name), error);
      return undefined;
    }
  }
}
