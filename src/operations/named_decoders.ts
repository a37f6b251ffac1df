import type { DictionaryEntry } from "../model/pack_table.ts";
import type { StoredTable } from "../model/stored_frame.ts";
import { isToBeStored } from "../repository/decoder_keeper.ts";
import { isBuiltInFormat } from "../stages/registry.ts";

/** A module that packs name. */
export interface NamedDecoder {
  entry: DictionaryEntry;
  packs: number;
  /** Without it some frames cannot be read where the plugin is not installed. */
  isNeeded: boolean;
}

/** Collects the modules that the tables of packs name, by SHA-256. */
export class NamedDecoders {
  readonly all = new Map<string, NamedDecoder>();

  add({ dictionary }: Pick<StoredTable, "dictionary">): void {
    const seen = new Set<NamedDecoder>();
    for (const entry of dictionary) {
      if (!isToBeStored(entry) || !/^[0-9a-f]{64}$/.test(entry.decoder)) continue;
      const known = this.all.get(entry.decoder) ?? { entry, packs: 0, isNeeded: false };
      this.all.set(entry.decoder, known);
      if (!isBuiltInFormat(entry.formatId)) known.isNeeded = true;
      if (!seen.has(known)) known.packs++;
      seen.add(known);
    }
  }
}
