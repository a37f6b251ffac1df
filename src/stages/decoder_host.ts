import type { Bytes } from "../base/bytes.ts";
import type { DictionaryEntry } from "../model/pack_table.ts";

/** The module of a codec or cipher that is no part of this program. */
export interface DecoderModule {
  /** As its author made it; their SHA-256 is its name. */
  readonly bytes: Bytes;
  /** What its `.minisig` holds; undefined where there is none. */
  readonly signature: string | undefined;
}

/** Whoever runs such modules. */
export interface DecoderHost {
  /** Of what serves here, or still does for a job; undefined where these bytes are not known. */
  moduleOf(sha256: string): DecoderModule | undefined;
  /**
   * Has frames read that were made by `entry`, whose format nothing here reads, by the module that the repository stores.
   * Throws `plugin_missing` if `load` finds none, and `plugin_refused` for one that nobody trusts, or that may not run.
   */
  provide(entry: DictionaryEntry, load: () => Promise<DecoderModule | undefined>): Promise<void>;
}
