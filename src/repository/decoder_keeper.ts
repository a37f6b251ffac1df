import { AxiomError } from "../base/errors.ts";
import type { DictionaryEntry } from "../model/pack_table.ts";
import { BUILT_IN, type FormatOrigin } from "../stages/codec.ts";
import type { DecoderHost, DecoderModule } from "../stages/decoder_host.ts";
import { isBuiltInFormat } from "../stages/registry.ts";
import type { ObjectStore } from "../storage/object_store.ts";
import { storeDecoder } from "./stored_decoders.ts";

/** Stores the modules of the codecs and ciphers that write, each once: before the first pack that names it. */
export class DecoderKeeper {
  readonly #modules = new Map<string, DecoderModule>();
  readonly #kept = new Map<string, Promise<unknown>>();

  constructor(readonly store: ObjectStore, readonly host: DecoderHost) {}

  /** To be called while `origin` serves: it may be gone when its frames become a pack. */
  note(role: DictionaryEntry["role"], origin: FormatOrigin): void {
    const { decoder, pluginId, version } = origin;
    if (this.#modules.has(decoder) || !isToBeStored({ role, ...origin })) return;
    const module = this.host.moduleOf(decoder);
    if (module === undefined) {
      const why = "its module is not known here any more";
      throw new AxiomError("plugin_failed", `Cannot store the decoder of ${pluginId} ${version}: ${why}`, {
        hint: "Run the backup again",
      });
    }
    this.#modules.set(decoder, module);
  }

  /** Resolves when all that was noted of `dictionary` is durable. Not aborted: it belongs to a pack that is complete. */
  async keep(dictionary: readonly DictionaryEntry[]): Promise<void> {
    for (const { decoder } of dictionary) {
      const module = this.#modules.get(decoder);
      if (module === undefined) continue;
      const kept = this.#kept.get(decoder) ?? storeDecoder(this.store, decoder, module);
      this.#kept.set(decoder, kept);
      kept.catch(() => this.#kept.delete(decoder));
      await kept;
    }
  }
}

/** Every codec from a file, and the ciphers whose format nothing built in reads. */
export function isToBeStored({ role, decoder, formatId }: Pick<DictionaryEntry, "role" | "decoder" | "formatId">) {
  return decoder !== BUILT_IN && (role === "codec" || !isBuiltInFormat(formatId));
}
