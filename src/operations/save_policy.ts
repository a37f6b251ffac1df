import { AxiomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { ChunkKind } from "../model/chunk.ts";
import { type FileStat, type FileSystem, type SourceFile, SystemError } from "../platform/file_system.ts";
import { BUILT_IN } from "../stages/codec.ts";
import type { ChunkerRule } from "../stages/choose_chunker.ts";
import { plainMacCipherFormat, type StageRegistry } from "../stages/registry.ts";
import { compileRules, type Rule } from "../stages/rules.ts";
import type { SelectionOptions } from "../stages/select.ts";
import { AUTO_CODEC, type CompressionChoice, parseCompression, parseEncryption } from "../stages/stage_choice.ts";
import type { FrameStyle } from "../stages/worker_protocol.ts";
import type { Entry } from "../model/entry.ts";
import type { FilePlan } from "./file_saver.ts";
import { isPartName } from "./restore_parts.ts";
import { sourceSelectors } from "./source_selectors.ts";

/** `empty` is a folder of which nothing that it holds is saved, such as the root of another file system. */
export type EntrySelection = "save" | "empty" | "exclude";

/** What is saved and how; pure functions of paths and what `lstat` says. */
export interface SavePolicy {
  /** Asked of everything below a source, folders before what they hold. `relative` is the path below the source. */
  select(path: string, relative: string, stat: Pick<FileStat, "type" | "sizeBytes" | "device">): EntrySelection;
  /** The names in a folder that are looked at: all, or those of a marker that leaves out the others. */
  namesToSave(path: string, relative: string, names: string[]): string[];
  plan(path: string, owner: Pick<FileStat, "uid">): FilePlan;
  /** Whether the rules want the content of an unchanged file stored in another way than `last` is, so that it is read again. */
  wantsAnew(path: string, stat: FileStat, last: Entry): boolean;
  /**
   * How what looks unchanged is taken over: as it is, where {@linkcode select} lets it, or only after every question, because
   * more than names and stats decide.
   */
  unchanged: "as_it_is" | "selected" | "one_by_one";
  /**
   * All that {@linkcode select} depends on beside what it is asked with, to be compared with that of another run; undefined where
   * that cannot be said.
   */
  selectsBy?: string;
  /** Whether to read a file again although it looks unchanged. */
  recheck(path: string): boolean;
}

/** What is saved and how, as the configuration and the flags say it. */
export interface SavePolicyOptions {
  selection: SelectionOptions;
  /** `zstd:3`, `none`. */
  compression: string;
  compressionRules: readonly Rule<string>[];
  /** Where a codec plugin fails, a built-in one may take its place. */
  compressionFallback?: boolean;
  /** `aes-256-gcm`. */
  encryption: string;
  /** `plain` leaves the content of files unencrypted. */
  encryptionRules: readonly Rule<string>[];
  chunkerRules: readonly Rule<ChunkerRule>[];
  /** Share of the unchanged files that is read again. */
  recheckPercent: number;
}

export interface SavePolicyContext {
  files: FileSystem;
  registry: StageRegistry;
  random: Random;
}

const PLAIN = "plain";
const PLAIN_CIPHER = "plain_mac";
const METADATA_OWNER = -1;

/** Policy and style of metadata. Throws `usage` for codecs, ciphers and patterns that cannot be. */
export function makeSavePolicy(
  options: SavePolicyOptions,
  paths: readonly string[],
  { files, registry, random }: SavePolicyContext,
): { policy: SavePolicy; metadataStyle: FrameStyle } {
  const selectors = sourceSelectors(options.selection, paths, files);
  const compressionOf = compressionFor(options, registry);
  const cipherOf = cipherFor(options, registry);
  const chunkerOf = compileRules(options.chunkerRules, { origin: "chunker rules", ignoreCase: false });
  const isSampled = sampler(options.recheckPercent, random);
  const kindOf = (path: string) => cipherOf(path) === plainMacCipherFormat ? ChunkKind.plain : ChunkKind.data;
  const policy: SavePolicy = {
    select(path, relative, { type, sizeBytes, device }) {
      if (type === "file" && isPartName(path.slice(path.lastIndexOf("/") + 1))) return "exclude";
      const decision = selectors.of(path, relative).selectEntry(relative, type, sizeBytes, device);
      return !decision.keep ? "exclude" : decision.descend ? "save" : "empty";
    },
    namesToSave(path, relative, names) {
      const readFirst = (name: string, bytesMax: number) => firstBytes(files, `${path}/${name}`, bytesMax);
      const decision = selectors.of(path, relative).selectFolder(relative, names, readFirst);
      return decision.content === "all" ? names : [decision.name];
    },
    plan(path, { uid }) {
      const style = { kind: kindOf(path), ...compressionOf(path), cipher: cipherOf(path), owner: uid };
      return { style, chunkerRule: chunkerOf(path) };
    },
    wantsAnew(path, stat, { content }) {
      if (stat.type !== "file" || content === undefined) return false;
      return (content.kind === PLAIN) !== (kindOf(path) === ChunkKind.plain);
    },
    unchanged: unchangedOf(options),
    selectsBy: options.selection.oneFileSystem ? undefined : JSON.stringify([paths, options.selection]),
    recheck: isSampled,
  };
  return { policy, metadataStyle: metadataStyleOf(options, registry) };
}

function unchangedOf({ selection, encryptionRules, recheckPercent }: SavePolicyOptions): SavePolicy["unchanged"] {
  const { patterns, tags, excludeCaches, largerThanBytes, oneFileSystem } = selection;
  if (encryptionRules.length > 0 || recheckPercent > 0 || tags.length > 0 || excludeCaches) return "one_by_one";
  return patterns.length > 0 || largerThanBytes !== undefined || oneFileSystem ? "selected" : "as_it_is";
}

/**
 * How folders are stored: by codec and cipher of files without a rule, but always compressed, since they are only text, and by a
 * codec that is built in, so that snapshots can be listed where a plugin is missing.
 */
export function metadataStyleOf(
  { compression, encryption }: Pick<SavePolicyOptions, "compression" | "encryption">,
  registry: StageRegistry,
): FrameStyle {
  const chosen = compression === "none" ? undefined : parseCompression(compression, registry.codecs);
  const { codec, level } = chosen?.codec.decoder === BUILT_IN ? chosen : builtInChoice(registry);
  const cipher = parseEncryption(encryption, registry.ciphers).formatId;
  return { kind: ChunkKind.tree, codec: codec.pluginId, level, cipher, owner: METADATA_OWNER };
}

/** Zstd, or nothing where that is disabled. */
function builtInChoice({ codecs }: StageRegistry): CompressionChoice {
  const codec = codecs.all.find((each) => each.pluginId === AUTO_CODEC && codecs.isUsable(each));
  return codec === undefined ? parseCompression("none", codecs) : { codec, level: codec.levels.default };
}

function compressionFor(options: SavePolicyOptions, registry: StageRegistry) {
  const read = (text: string) => {
    const { codec, level } = parseCompression(text, registry.codecs);
    const mayFallBack = options.compressionFallback === true;
    return { codec: codec.pluginId, level, ...(mayFallBack ? { mayFallBack } : {}) };
  };
  const standard = read(options.compression);
  const rules = options.compressionRules.map(({ pattern, value }) => ({ pattern, value: read(value) }));
  const byRule = compileRules(rules, { origin: "compression rules", ignoreCase: true });
  return (path: string) => byRule(path) ?? standard;
}

function cipherFor(options: SavePolicyOptions, registry: StageRegistry): (path: string) => string {
  if (options.encryption === PLAIN) {
    throw new AxiomError("usage", "Cannot store everything unencrypted: names and folders are always sealed", {
      hint: "Name what may be plain by a rule, such as encryption_rules: [/srv/public/**=plain]",
    });
  }
  const read = (text: string) => {
    if (text !== PLAIN) return parseEncryption(text, registry.ciphers).formatId;
    registry.ciphers.throwIfAbsent(PLAIN_CIPHER);
    return plainMacCipherFormat;
  };
  const standard = read(options.encryption);
  const rules = options.encryptionRules.map(({ pattern, value }) => ({ pattern, value: read(value) }));
  const byRule = compileRules(rules, { origin: "encryption rules", ignoreCase: false });
  return (path) => byRule(path) ?? standard;
}

const SAMPLES_AT_ONCE = 1024;

/** True for about `percent` of the calls, whichever they are. */
function sampler(percent: number, random: Random): () => boolean {
  if (percent <= 0) return () => false;
  if (percent >= 100) return () => true;
  const limit = percent / 100 * 2 ** 32;
  let numbers = new Uint32Array(0), at = 0;
  return () => {
    if (at === numbers.length) {
      numbers = new Uint32Array(random(4 * SAMPLES_AT_ONCE).buffer);
      at = 0;
    }
    return numbers[at++] < limit;
  };
}

/** Undefined for what is no regular file, or cannot be read. */
function firstBytes(files: FileSystem, path: string, bytesMax: number): Uint8Array | undefined {
  let file: SourceFile | undefined;
  try {
    file = files.openForReading(path);
    const bytes = new Uint8Array(bytesMax);
    return bytes.subarray(0, file.read(bytes, 0));
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  } finally {
    file?.close();
  }
}
