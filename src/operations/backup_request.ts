import { AxiomError, messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import type { FolderMarker } from "../config/choices.ts";
import type { Config } from "../config/schema.ts";
import { SystemError } from "../platform/file_system.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import { flagPatterns, parsePatternFile, type Pattern } from "../stages/pattern_list.ts";
import { makeSavePolicy, type SavePolicy, type SavePolicyContext, type SavePolicyOptions } from "./save_policy.ts";
import type { StreamProvider } from "../plugins/plugin_streams.ts";
import type { EntryOwner } from "./made_entry.ts";
import type { StreamFolderOptions } from "./offered_streams.ts";
import { streamFolderPath } from "./stream_folder.ts";
import { absolute, type ListedSource, parseSourceList, parseSourceListRaw, resolveSources } from "./source_list.ts";

/** What is asked for in addition to the configuration. */
export interface BackupRequest {
  /** As a person gives them; those of the configuration where this and the lists are empty. */
  paths: readonly string[];
  filesFrom: readonly string[];
  filesFromRaw: readonly string[];
  /** Plugins whose streams are saved. */
  sources: readonly string[];
  /** These come after those of the configuration. */
  exclude: readonly string[];
  iexclude: readonly string[];
  excludeFile: readonly string[];
  excludeIfPresent: readonly FolderMarker[];
}

export const NOTHING_MORE: BackupRequest = {
  paths: [],
  filesFrom: [],
  filesFromRaw: [],
  sources: [],
  exclude: [],
  iexclude: [],
  excludeFile: [],
  excludeIfPresent: [],
};

export interface RequestContext extends SavePolicyContext {
  /** Absolute; where relative paths start. */
  folder: string;
  /** The first `bytesMax` bytes; undefined where there is no such file. `-` is standard input. */
  readFile(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
  /** Undefined where there are no plugins. `open` throws why one cannot be used. */
  sources?: { open(name: string): StreamProvider | Promise<StreamProvider>; readonly owner: EntryOwner };
  onEvent: EventSink;
}

export interface PlannedBackup {
  /** Absolute and normalized, each once. */
  paths: string[];
  policy: SavePolicy;
  metadataStyle: FrameStyle;
  /** What lists name and the file system lacks. */
  faults: AxiomError[];
  streams: StreamFolderOptions[];
}

/** Turns configuration and request into what `backup` takes. Throws `usage`, such as for a pattern that can match nothing. */
export async function planBackup(
  { backup }: Pick<Config, "backup">,
  request: BackupRequest,
  context: RequestContext,
): Promise<PlannedBackup> {
  const { paths, faults, names } = await sourcesOf(backup, request, context);
  const providers = await openSources(names, paths, context);
  const patterns = [
    ...await patternsOf(backup, "backup.exclude_file", "backup.exclude", "backup.iexclude", context),
    ...await patternsOf(request, "--exclude-file", "--exclude", "--iexclude", context),
  ];
  const tags = [...backup.excludeIfPresent, ...request.excludeIfPresent];
  const options = policyOptions(backup, patterns, tags);
  const made = makeSavePolicy(options, [...paths, ...providers.map(streamFolderPath)], context);
  const { owner } = context.sources ?? { owner: { uid: 0, gid: 0 } };
  const streams = providers.map((provider) => ({ provider, owner, policy: made.policy, force: backup.force }));
  return { paths, faults, streams, ...made };
}

/** @param tags Markers of folders whose content is left out */
export function policyOptions(
  backup: Config["backup"],
  patterns: readonly Pattern[],
  tags: readonly FolderMarker[] = [],
): SavePolicyOptions {
  return {
    selection: {
      patterns,
      tags,
      excludeCaches: backup.excludeCaches,
      largerThanBytes: backup.excludeLargerThan,
      oneFileSystem: backup.oneFileSystem,
    },
    compression: backup.compression,
    compressionRules: backup.compressionRules,
    compressionFallback: backup.compressionFallback,
    encryption: backup.encryption,
    encryptionRules: backup.encryptionRules,
    chunkerRules: backup.chunkerRules,
    recheckPercent: backup.recheck,
  };
}

/** What is named, else what the configuration has. */
async function sourcesOf(configured: Config["backup"], request: BackupRequest, context: RequestContext) {
  const given = [request.paths, request.filesFrom, request.filesFromRaw, request.sources];
  const isNamed = given.some(({ length }) => length > 0);
  const { paths: named, filesFrom, filesFromRaw, sources: names } = isNamed ? request : configured;
  const paths = new Set(named.map((path) => absolute(path, context.folder)));
  const listed: ListedSource[] = [];
  const limit = LIMITS.sourceListBytesMax + 1;
  for (const file of filesFrom) listed.push(...parseSourceList(await readList(file, "paths", limit, context), file));
  for (const file of filesFromRaw) {
    listed.push(...parseSourceListRaw(await readList(file, "paths", limit, context), file));
  }
  const resolved = resolveSources(listed, context.folder, context.files);
  for (const path of resolved.paths) paths.add(path);
  if (paths.size + names.length === 0 && resolved.faults.length === 0) {
    throw new AxiomError("usage", "Cannot back up: no path is given", {
      hint: "Name files or folders, as in `axiom backup /home`, or set backup.paths in the configuration",
    });
  }
  for (const path of paths) warnOfLink(path, context);
  return { paths: [...paths], faults: resolved.faults, names };
}

/** Their folders stand beside what is saved of this machine, so nothing of that may have their place. */
async function openSources(
  names: readonly string[],
  paths: readonly string[],
  { sources }: RequestContext,
): Promise<StreamProvider[]> {
  const providers = new Map<string, StreamProvider>();
  for (const name of names) {
    if (sources === undefined) {
      throw new AxiomError("plugin_missing", `Cannot save what ${name} gives: plugins are not open here`);
    }
    const provider = await sources.open(name), place = streamFolderPath(provider);
    const taken = paths.find((path) => path === "/" || path === place || path.startsWith(`${place}/`));
    if (taken !== undefined) {
      throw new AxiomError(
        "usage",
        `Cannot save ${displayName(taken)} beside ${provider.pluginId}, which has ${place}`,
        {
          hint: "Save them by two backups",
        },
      );
    }
    providers.set(provider.pluginId, provider);
  }
  return [...providers.values()];
}

function warnOfLink(path: string, { files, onEvent }: RequestContext): void {
  try {
    if (files.lstat(path).type !== "symlink") return;
    const message = `${displayName(path)} is a symbolic link; it is saved as such, without what it points to`;
    onEvent({ type: "warning", code: "source_link", message, path });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error; // the backup reports it
  }
}

type Patterns = Pick<BackupRequest, "exclude" | "iexclude" | "excludeFile">;

async function patternsOf(
  { exclude, iexclude, excludeFile }: Patterns,
  fileOrigin: string,
  origin: string,
  ignoringOrigin: string,
  context: RequestContext,
): Promise<Pattern[]> {
  const patterns: Pattern[] = [];
  for (const file of excludeFile) {
    const data = await readList(file, `patterns of ${fileOrigin}`, LIMITS.sourceListBytesMax, context);
    patterns.push(...parsePatternFile(data, file));
  }
  return [...patterns, ...flagPatterns(exclude, origin), ...flagPatterns(iexclude, ignoringOrigin, true)];
}

async function readList(file: string, what: string, bytesMax: number, context: RequestContext): Promise<Uint8Array> {
  let why = "there is no such file", cause: unknown;
  try {
    const data = await context.readFile(file, bytesMax);
    if (data !== undefined) return data;
  } catch (error) {
    why = messageOf(error);
    cause = error;
  }
  throw new AxiomError("usage", `Cannot read the ${what} from ${displayName(file)}: ${why}`, {
    hint: "Check the path and that you may read it",
    cause,
  });
}
