import type { ErrorKind } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";

/** What can be wrong with a repository. The key is API; the value is the kind of failure that a reader would meet. */
const DAMAGE_KINDS = {
  /** It is another one, or an older one, than this machine saw there. */
  repository_changed: "repository_changed",
  config_damaged: "data_damaged",
  keyring_damaged: "data_damaged",
  key_slot_damaged: "data_damaged",
  session_damaged: "data_damaged",
  condemned_damaged: "data_damaged",
  /** A codec or cipher plugin wrote here, and its module is not stored: only where it is installed this can be read. */
  decoder_missing: "object_missing",
  /** Of the ledger, the audit chain or the stored decoders. */
  object_damaged: "data_damaged",
  index_damaged: "data_damaged",
  /** The index can be read and says of a pack what its table does not. */
  index_wrong: "data_damaged",
  pack_damaged: "data_damaged",
  /** The store fails when it is asked for the pack. */
  pack_unreadable: "storage_failed",
  pack_missing: "object_missing",
  /** The manifest is damaged or gone. */
  snapshot_damaged: "data_damaged",
  /** The manifest is whole, and the snapshot does not count. */
  marker_damaged: "data_damaged",
  marker_missing: "object_missing",
  tree_damaged: "data_damaged",
  chunk_missing: "object_missing",
} as const satisfies Record<string, ErrorKind>;

export type DamageKind = keyof typeof DAMAGE_KINDS;

/** An entry of a snapshot that cannot be restored as it was; a folder stands for everything below it. */
export interface AffectedPath {
  snapshotId: string;
  /** Absolute, as `base/names.ts` decodes names. */
  path: string;
}

/** One damaged or missing object. Without affected paths nothing is lost: nobody needs it, or there is another copy. */
export interface CheckError {
  kind: DamageKind;
  /** Its key, or what the message is about. */
  object: string;
  message: string;
  /** At most `LIMITS.affectedPathsMax`. */
  affected: AffectedPath[];
  affectedCount: number;
}

/** Worth knowing, and no damage. */
export interface CheckNote {
  code: string;
  object: string;
  message: string;
}

const NOTES_MAX = 1000;

/** Collects what a check finds, and tells of damage at once, each once. */
export class Findings {
  readonly errors: CheckError[] = [];
  readonly notes: CheckNote[] = [];
  errorCount = 0;
  #listed = 0;
  readonly #pending: CheckError[] = [];

  /** @param told Messages that were told before, by a check that was done over */
  constructor(readonly onEvent: EventSink, readonly told: Set<string> = new Set()) {}

  error(kind: DamageKind, object: string, message: string): CheckError {
    const error = this.#add(kind, object, message);
    this.tell(error);
    return error;
  }

  /** Like {@linkcode error}, for what may turn out to be another client's work: told by {@linkcode tellAll}. */
  pending(kind: DamageKind, object: string, message: string): CheckError {
    const error = this.#add(kind, object, message);
    if (this.#pending.length < LIMITS.checkErrorsMax) this.#pending.push(error);
    return error;
  }

  #add(kind: DamageKind, object: string, message: string): CheckError {
    const error: CheckError = { kind, object, message, affected: [], affectedCount: 0 };
    this.errorCount++;
    if (this.errors.length < LIMITS.checkErrorsMax) this.errors.push(error);
    return error;
  }

  tell({ kind, object, message }: CheckError): void {
    const key = `${kind} ${object}`;
    if (this.told.has(key)) return;
    if (this.told.size < LIMITS.checkErrorsMax) this.told.add(key);
    const hint = HINTS[kind];
    this.onEvent({
      type: "error",
      error: { kind: DAMAGE_KINDS[kind], message, ...(hint === undefined ? {} : { hint }) },
    });
  }

  /** Whether something is missing that another client may just have put elsewhere. */
  get hasLosses(): boolean {
    return this.#pending.length > 0;
  }

  /** Tells what was kept back. */
  tellAll(): void {
    for (const error of this.#pending.splice(0)) this.tell(error);
  }

  note(code: string, object: string, message: string): void {
    if (this.notes.length < NOTES_MAX) this.notes.push({ code, object, message });
    this.onEvent({ type: "verbose", message });
  }

  /** Counts an affected path, and lists it if there is room. */
  affects(error: CheckError, snapshotId: string, path: string): void {
    error.affectedCount++;
    this.list(error, snapshotId, path);
  }

  list(error: CheckError, snapshotId: string, path: string): void {
    if (!this.hasRoom(error)) return;
    error.affected.push({ snapshotId, path });
    this.#listed++;
  }

  hasRoom(error: CheckError): boolean {
    return error.affected.length < LIMITS.affectedPathsMax && this.#listed < LIMITS.affectedPathsAllMax;
  }
}

const HINTS: Partial<Record<DamageKind, string>> = {
  key_slot_damaged: "Remove it with `axiom key remove`, and add the password again with `axiom key add`",
  config_damaged: "Put it back from a copy; while a newer one is whole, nothing depends on it",
  keyring_damaged: "Put it back from a copy; while a newer one is whole, nothing depends on it",
  session_damaged: "Run `axiom repair index`, which sets it aside",
  condemned_damaged: "When no other client deletes, run `axiom repair index --condemned-lists`",
  object_damaged: "Put it back from a copy if you have one; no snapshot depends on it",
  index_damaged: "Run `axiom repair index`",
  index_wrong: "Run `axiom repair index`",
  pack_damaged: "Run `axiom repair index --read-data`, then a backup of what is affected",
  pack_unreadable: "Check the disk or the network share: the system log says more",
  pack_missing: "Put it back from a copy, or run a backup of what is affected, then `axiom repair index`",
  snapshot_damaged: "Put it back from a copy; without one, `axiom repair snapshots --forget` sets it aside",
  marker_damaged: "Run `axiom repair snapshots` to bring it back",
  marker_missing: "Run `axiom repair snapshots` to bring it back",
  chunk_missing: "Run a backup of what is affected, or `axiom repair snapshots`",
  tree_damaged: "Run a backup of what is affected, or `axiom repair snapshots`",
};
