import type { Bytes } from "../base/bytes.ts";

/**
 * Flat, durable object store under a repository. Knows nothing of packs, keys or snapshots.
 *
 * Contract, run against every implementation by `tests/contract/object_store.ts`:
 * - `put` and `ObjectWriter.commit` are atomic and write-once: readers see all bytes or none; where an object of that key
 *   exists with other bytes they fail with `object_exists`, with the same bytes they succeed (a retry that met its own object).
 * - What resolved is durable and visible to the next `get`, `stat` and `list` (of this client; `traits` says of others).
 * - Failures are `AxiomError`: `object_missing`, `object_exists`, `storage_full`, `storage_denied`, `storage_busy`,
 *   `storage_failed`, `limit_exceeded`; callers retry only when `error.retriable`.
 * - Keys are `[a-z0-9._-]` names joined by `/`; nothing else is accepted.
 */
export interface ObjectStore {
  /** Where the data lives, without secrets, for messages: `s3://bucket/prefix`. */
  readonly location: string;
  readonly traits: StoreTraits;
  put(key: string, data: Bytes, signal?: AbortSignal): Promise<void>;
  /** Starts an object whose name is known only at its end. */
  create(signal?: AbortSignal): Promise<ObjectWriter>;
  /** Reads `[offset, offset + length)`; fewer bytes than asked for is `data_damaged`, never a short read. */
  get(key: string, range: ByteRange | "all", signal?: AbortSignal): Promise<Bytes>;
  /** Size of one object, undefined if there is none. */
  stat(key: string, signal?: AbortSignal): Promise<{ sizeBytes: number } | undefined>;
  /** Objects whose key starts with `prefix`, which ends in `/`, in no particular order. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo>;
  /** Removing a missing object succeeds, so that an interrupted removal can be repeated. */
  remove(key: string, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface ObjectInfo {
  key: string;
  sizeBytes: number;
}

export interface ByteRange {
  offset: number;
  length: number;
}

export interface ObjectWriter {
  /** Appends; `data` may be reused once this resolves. */
  write(data: Bytes): Promise<void>;
  /** Makes the object durable and visible under `key`. */
  commit(key: string): Promise<void>;
  /** Forgets what was written; a no-op after `commit`. */
  abort(): Promise<void>;
}

export interface StoreTraits {
  /** For how long another client's listing may lack what was put, in ms; 0 for a local disk, more for NFS and SMB. */
  staleListingMs: number;
  /** Why it is not 0. */
  staleListingReason?: string;
  /** What the store was found unable to do, in words for one warning, such as "fsync of a folder". */
  missing: readonly string[];
}
