import { AxiomError } from "../../base/errors.ts";
import { type FolderMarker, folderMarker } from "../../config/choices.ts";
import type { FlagSetting } from "../../config/load.ts";
import { isSnapshotTime } from "../../model/snapshot.ts";
import type { BackupSummary } from "../../operations/backup.ts";
import type { BackupRequest } from "../../operations/backup_request.ts";
import {
  backupConfigured,
  backupStreamConfigured,
  beginBackup,
  type BegunBackup,
  type ConfiguredContext,
  type SnapshotCall,
} from "../../operations/configured_backup.ts";
import { processWith } from "../../operations/plugin_runs.ts";
import { isTimeAhead } from "../../operations/snapshot_order.ts";
import { userIds } from "../../platform/host.ts";
import { standardInput, startProducer } from "../../platform/producer.ts";
import { readBounded, readStandardInput } from "../../platform/read_bounded.ts";
import type { RunPlugin } from "../../plugins/wasm_run.ts";
import type { App } from "../app.ts";
import { BACKUP_FLAGS } from "../backup_flags.ts";
import { backupJson, backupText, type ProcessedBackup } from "../backup_text.ts";
import { defineCommand, type FlagValues } from "../command.ts";
import { flagSettings } from "../flag_settings.ts";

/** Files of this machine, or the words of a command, without any for standard input. */
type What = { kind: "files"; request: BackupRequest } | { kind: "stream"; command: readonly string[] };

interface BackupCommandOptions {
  settings: FlagSetting[];
  what: What;
  timeNs: string | undefined;
  dryRun: boolean;
}

export const backup = defineCommand({
  name: "backup",
  summary: "Save files as a new snapshot",
  usage:
    "axiom backup [flags] <path>…\naxiom backup [flags] --source <plugin> [<path>…]\naxiom backup [flags] --stdin [--stdin-filename <name>]\n" +
    "axiom backup [flags] --stdin-from-command -- <command>…",
  details:
    "Files that did not change since the last snapshot of the same paths by the same user are not read again. An interrupted backup " +
    "leaves no snapshot; the next one uses what was uploaded. What is stored counts encryption, padding and the tables " +
    "of packs too: of very little it is more than what is new.\n" +
    "--source saves what a plugin gives, such as a dump of a database, as the folder /<id of the plugin>. A stream that " +
    "fails is told and not in the snapshot.\n" +
    "A program whose output comes to --stdin by a pipe can fail without anybody noticing: what it printed until then is " +
    "saved as if it were all. --stdin-from-command runs the program itself, and makes no snapshot if it fails.",
  arguments: [{
    name: "path",
    description: "File or folder; those of the configuration if none is given",
    optional: true,
    repeatable: true,
    completes: "file",
  }],
  flags: BACKUP_FLAGS,
  examples: [
    { command: "axiom backup /home /etc --exclude '*.tmp' --tag nightly", does: "Save two folders" },
    { command: "axiom backup --source shop", does: "Save what the plugin source_shop gives, as /source_shop" },
    { command: "axiom backup --dry-run /home", does: "Say how much would be added" },
    {
      command: "axiom backup --stdin-from-command --stdin-filename db.sql -- pg_dump shop",
      does: "Save what a program prints",
    },
  ],
  stream: true,
  parse: (values, paths): BackupCommandOptions => ({
    settings: settingsOf(values),
    what: whatOf(values, paths),
    timeNs: snapshotTime(values.time),
    dryRun: values["dry-run"],
  }),
  tells: "backup",
  isTrial: ({ dryRun }) => dryRun,
  run: async ({ settings, what, timeNs, dryRun }, { app: open }) => {
    const app = await open(settings);
    const processors = await app.processors();
    app.demandEnabled(`backup_${app.config.backup.mode}`);
    const call = { timeNs, dryRun };
    if (timeNs !== undefined && isTimeAhead(timeNs, app.clock.nowNs())) {
      const message = "--time is in the future: until then the snapshot does not count as the latest";
      app.events({ type: "warning", code: "snapshot_ahead", message });
    }
    const summary = what.kind === "files"
      ? await saveFiles(app, { ...what.request, ...call })
      : await saveStream(app, what.command, call);
    if (summary.snapshotId !== null) await app.pinSnapshot(summary.snapshotId, summary.paths);
    await app.warnOfLosses();
    return await processed(app, processors, { ...summary, processing: [] });
  },
  render: backupText,
  json: backupJson,
  exitCode: exitCodeOf,
});

function exitCodeOf({ filesFailed, processing }: ProcessedBackup): number {
  return filesFailed > 0 || processing.some(({ error }) => error !== undefined) ? 3 : 0;
}

async function processed(
  app: App,
  processors: readonly RunPlugin[],
  saved: ProcessedBackup,
): Promise<ProcessedBackup> {
  if (processors.length === 0 || saved.snapshotId === null) return saved;
  const end = { exitCode: exitCodeOf(saved), message: backupText(saved), summary: backupJson(saved) };
  const context = app.endContext({ command: "backup", event: "snapshot_saved", ...end });
  return { ...saved, processing: await processWith(processors, context, { onEvent: app.events, signal: app.signal }) };
}

function settingsOf(values: FlagValues<typeof BACKUP_FLAGS>): FlagSetting[] {
  if (values.tag.some((text) => /^[\s,]*$/.test(text))) {
    throw new AxiomError("usage", "Cannot use --tag: there is no tag in it", { hint: "Write --tag=<tag>[,<tag>]" });
  }
  return flagSettings(BACKUP_FLAGS, values);
}

function snapshotTime(timeNs: string | undefined): string | undefined {
  if (timeNs === undefined || isSnapshotTime(timeNs)) return timeNs;
  throw new AxiomError("usage", "Cannot use --time: no snapshot can be dated later than the year 5138");
}

async function contextOf(app: App): Promise<ConfiguredContext> {
  const { files, registry, random, folder, events: onEvent, signal } = app;
  const identity = await app.identity(), filters = await app.filters();
  const asked = { folder, readFile: readList, filters, strategy: await app.strategy(), sources: sourcesOf(app) };
  return {
    files,
    registry,
    random,
    ...asked,
    pool: () => app.pool(),
    identity,
    onEvent,
    signal,
    cache: app.cacheFolder,
  };
}

function sourcesOf(app: App) {
  const { uid, gid } = userIds() ?? { uid: 0, gid: 0 };
  const owner = { uid, gid, user: app.files.userName(uid), group: app.files.groupName(gid) };
  return { open: (name: string) => app.source(name), owner };
}

/** The sources are looked at while the key is derived, which takes another core as long. */
async function saveFiles(app: App, call: BackupRequest & SnapshotCall): Promise<BackupSummary> {
  const { files, registry, random, folder, clock, events: onEvent } = app;
  let begun: Promise<BegunBackup> | undefined, isOver = false;
  const begin = () => {
    if (isOver) return; // the key was wrong before the plugins were there
    begun = beginBackup(app.config, call, {
      files,
      registry,
      random,
      folder,
      clock,
      readFile: readList,
      onEvent,
      sources: sourcesOf(app),
    });
    begun.catch(() => {}); // told once the repository is open
  };
  const stop = async () => (await begun)?.early.stop();
  try {
    const repository = await app.openRepository("write", begin);
    await stop();
    return await backupConfigured(repository, app.config, call, await contextOf(app), await begun);
  } finally {
    isOver = true;
    stop().catch(() => {}); // what failed is told already
  }
}

/** The producer starts when everything else is ready for it. */
async function saveStream(app: App, command: readonly string[], call: SnapshotCall): Promise<BackupSummary> {
  const repository = await app.openRepository("write");
  const context = await contextOf(app);
  const { owner } = sourcesOf(app);
  const producer = command.length === 0 ? standardInput() : startProducer(command);
  const stop = () => producer.stop();
  app.signal.addEventListener("abort", stop);
  try {
    const all = { ...call, producer, mayBeEmpty: command.length > 0, owner };
    return await backupStreamConfigured(repository, app.config, all, context);
  } finally {
    app.signal.removeEventListener("abort", stop);
    producer.stop();
  }
}

/** `-` is standard input. */
function readList(path: string, bytesMax: number): Promise<Uint8Array | undefined> {
  return path === "-" ? readStandardInput(bytesMax) : readBounded(path, bytesMax);
}

function whatOf(values: FlagValues<typeof BACKUP_FLAGS>, words: readonly string[]): What {
  const refuse = (why: string, hint: string) => new AxiomError("usage", `Cannot run backup: ${why}`, { hint });
  const { stdin, "stdin-from-command": fromCommand } = values;
  if (!stdin && !fromCommand) return { kind: "files", request: requestOf(values, words) };
  if (stdin && fromCommand) throw refuse("--stdin and --stdin-from-command are both given", "Leave one of them out");
  if (values.source.length > 0) {
    throw refuse("--source stands beside a stream of its own", "Save them by two backups");
  }
  const selecting = [
    "files-from",
    "files-from-raw",
    "exclude",
    "iexclude",
    "exclude-file",
    "exclude-if-present",
  ] as const;
  const odd = selecting.find((name) => values[name].length > 0);
  if (odd !== undefined) {
    throw refuse(
      `--${odd} says nothing about a stream`,
      `Leave out --${odd}`,
    );
  }
  if (stdin && words.length > 0) {
    throw refuse(`"${words[0]}" stands beside --stdin`, "Save files and standard input by two backups");
  }
  if (fromCommand && words.length === 0) {
    throw refuse(
      "the command is missing",
      "Write it after --, as in `axiom backup --stdin-from-command -- pg_dump shop`",
    );
  }
  return { kind: "stream", command: words };
}

function requestOf(values: FlagValues<typeof BACKUP_FLAGS>, paths: readonly string[]): BackupRequest {
  return {
    paths,
    filesFrom: values["files-from"],
    filesFromRaw: values["files-from-raw"],
    sources: values.source,
    exclude: values.exclude,
    iexclude: values.iexclude,
    excludeFile: values["exclude-file"],
    excludeIfPresent: values["exclude-if-present"].map(marker),
  };
}

function marker(text: string): FolderMarker {
  try {
    return folderMarker.read(text, {});
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AxiomError("usage", `Cannot read --exclude-if-present "${text}": expected ${error.message}`);
  }
}
