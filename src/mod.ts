/**
 * AXIOM as a library: the verbs of the command line, on an open repository; with {@linkcode openApp} also plugins.
 *
 * Failures are {@linkcode AxiomError}, of a kind that never changes. What an operation says on the way, such as progress and
 * files that cannot be read, are events. `docs/library.md` has examples that a test runs.
 *
 * @module
 */
export type { Bytes } from "./base/bytes.ts";
export type { Json } from "./base/canonical_json.ts";
export { AxiomError, ERROR_KINDS, type ErrorKind, type ErrorReport } from "./base/errors.ts";
export type { AxiomEvent, EventSink } from "./base/events.ts";
export { type App, type AppOptions, openApp } from "./library/app.ts";
export type { CallOptions, CallResult, ListedPlugin, LoadOptions, PluginGrant, Plugins } from "./library/plugins.ts";
export {
  type CreateOptions,
  createRepository,
  type OpenOptions,
  openRepository,
  type OperationOptions,
  type Repository,
} from "./library/repository.ts";
export {
  backup,
  type BackupOptions,
  type BackupSettings,
  backupStream,
  restore,
  type RestoreOptions,
  type StreamOptions,
} from "./library/saving.ts";
export {
  check,
  diff,
  dump,
  type EntriesOptions,
  find,
  type FindOptions,
  listEntries,
  listFaults,
  listSnapshots,
  type SnapshotPlace,
  type SnapshotsOptions,
  tag,
  type TagOptions,
} from "./library/reading.ts";
export type { PluginCredential } from "./config/plugin_settings.ts";
export type { TrustedKey } from "./config/plugin_trust.ts";
export type { SnapshotFault } from "./model/snapshot.ts";
export type { BackupSummary } from "./operations/backup.ts";
export type { CheckSummary } from "./operations/check.ts";
export type { CheckError, CheckNote } from "./operations/check_findings.ts";
export type { DataSelection } from "./operations/data_selection.ts";
export type { EntryChange, SnapshotDiff } from "./operations/diff.ts";
export type { Dump } from "./operations/dump.ts";
export type { FindConditions, FindHit } from "./operations/find.ts";
export type { ListedEntry } from "./operations/listed_entry.ts";
export type { SnapshotSummary } from "./operations/list_snapshots.ts";
export type { RestoreSummary } from "./operations/restore.ts";
export type { SnapshotFilter } from "./operations/snapshot_filter.ts";
export type { TagSummary } from "./operations/tag.ts";
export type { Capability } from "./plugins/capabilities.ts";
export type { Generation, GenerationState } from "./plugins/generation.ts";
export type { Category } from "./plugins/manifest.ts";
export type { PluginEvent, PluginEventSink, SwitchCause } from "./plugins/plugin_events.ts";
export { PluginFailure, type PluginIdentity } from "./plugins/plugin_failure.ts";
export type { Grant } from "./plugins/plugins_lock.ts";
export type { LogLine, PluginMetric } from "./plugins/sandbox_protocol.ts";
export type { SignaturePolicy } from "./plugins/trust.ts";
