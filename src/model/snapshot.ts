/** A manifest: canonical JSON, sealed as `snapshots/<id>`; it counts once its commit marker `<id>.ok` stands beside it. */
import { decodeJson } from "../base/canonical_json.ts";
import { AxiomError } from "../base/errors.ts";
import { isChunkId } from "./entry.ts";

const BACKUP_MODES = ["full", "incremental", "differential"] as const;
export type BackupMode = (typeof BACKUP_MODES)[number];

export interface SnapshotStatistics {
  files: number;
  dirs: number;
  others: number;
  files_new: number;
  files_changed: number;
  files_unmodified: number;
  files_failed: number;
  bytes: number;
  bytes_added: number;
  bytes_stored: number;
  chunks_new: number;
}

export interface SnapshotPlugin {
  plugin_id: string;
  version: string;
  sha256: string;
}

/** An entry that could not be read and is therefore missing, or is an older version of itself. */
export interface SnapshotFault {
  path: string;
  reason: string;
}

export interface Snapshot {
  version: 1;
  /** Node of the root folder, from which `paths` are reached. */
  root: string;
  /** Nanoseconds since 1970: what the user calls the snapshot's time. */
  time: string;
  /** When the scan began by this client's clock; entries not older than this are racy. */
  scan_started: string;
  finished: string;
  client: string;
  session: string;
  host: string;
  user: string;
  /** Absolute source paths, sorted. */
  paths: string[];
  tags: string[];
  mode: BackupMode;
  /** What change detection compared with. */
  parent: string | null;
  /** Place in this client's chain of snapshots of the same paths, and the hash of the manifest before it. */
  sequence: number;
  previous: string | null;
  /** The snapshot that this one replaces, such as before its tags were changed. */
  original?: string;
  /** At most the first 1,000. */
  faults?: SnapshotFault[];
  statistics: SnapshotStatistics;
  plugins: SnapshotPlugin[];
  tool_version: string;
  [later: string]: unknown;
}

const TIME = /^-?[0-9]{1,20}$/;

/** Whether nanoseconds since 1970 can be a snapshot's time: to the year 5138. */
export function isSnapshotTime(timeNs: string): boolean {
  return TIME.test(timeNs);
}

/** Throws `data_damaged`, or `repository_unsupported` for a later version. */
export function decodeSnapshot(data: Uint8Array, id: string): Snapshot {
  const refuse = (why: string) => new AxiomError("data_damaged", `Cannot read the snapshot ${id}: ${why}`);
  let document: Snapshot;
  try {
    document = decodeJson(data) as unknown as Snapshot;
  } catch {
    throw refuse("it is not JSON");
  }
  if (typeof document !== "object" || document === null) throw refuse("it is no object");
  if (document.version !== 1) {
    throw new AxiomError("repository_unsupported", `Cannot read the snapshot ${id}: version ${document.version}`, {
      hint: "Update axiom",
    });
  }
  const texts = [document.client, document.session, document.host, document.user, document.tool_version];
  if (!isChunkId(document.root)) throw refuse("its root is not an id");
  if (!texts.every((text) => typeof text === "string")) throw refuse("a name is missing");
  if (![document.time, document.scan_started, document.finished].every((time) => isSnapshotTime(String(time)))) {
    throw refuse("a time is not a decimal number");
  }
  if (!isTextList(document.paths) || !isTextList(document.tags)) {
    throw refuse("its paths or tags are not lists of texts");
  }
  if (!BACKUP_MODES.includes(document.mode)) throw refuse(`mode ${JSON.stringify(document.mode)} is unknown`);
  if (!Number.isSafeInteger(document.sequence)) throw refuse("its sequence is not a number");
  if (typeof document.statistics !== "object" || document.statistics === null) throw refuse("it has no statistics");
  if (!Array.isArray(document.plugins)) throw refuse("its plugins are not a list");
  return document;
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
