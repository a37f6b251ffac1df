import type { DictionaryEntry } from "../model/pack_table.ts";
import type { SealedFrame } from "../stages/worker_protocol.ts";

/** How many frames each generation of a codec or cipher made. */
export class StageUsage {
  readonly #frames = new Map<string, { origin: DictionaryEntry; frames: number }>();

  count(dictionary: readonly DictionaryEntry[], { codec, cipher }: Pick<SealedFrame, "codec" | "cipher">): void {
    for (const origin of [dictionary[codec], dictionary[cipher]]) {
      const key = `${origin.pluginId} ${origin.version} ${origin.decoder}`;
      const known = this.#frames.get(key);
      if (known === undefined) this.#frames.set(key, { origin, frames: 1 });
      else known.frames++;
    }
  }

  /** By id, then in the order of their first frames. */
  get all(): (DictionaryEntry & { frames: number })[] {
    return [...this.#frames.values()].map(({ origin, frames }) => ({ ...origin, frames }))
      .sort((a, b) => a.pluginId < b.pluginId ? -1 : a.pluginId > b.pluginId ? 1 : 0);
  }
}
