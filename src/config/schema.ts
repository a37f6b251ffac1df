/**
 * Every option of the program, in one place: what is checked in files and environment, the JSON Schema, the example file and
 * the type {@linkcode Config} all come from this table. Keys are camelCase here and snake_case in YAML.
 */
import { LIMITS } from "../base/limits.ts";
import { chunker, cipher, compression, folderMarker, readSubset, rule } from "./choices.ts";
import { buildConfig, type ConfigOf, list, one, type Option, optional, section, walkOptions } from "./option.ts";
import { notifier, pluginCredential, pluginOption } from "./plugin_settings.ts";
import { pluginId, revoked, trustedCodec, trustedKey } from "./plugin_trust.ts";
import { boolean, location, oneOf, path, pattern, percent, rate, shortText, size, text } from "./types.ts";

export const OPTIONS = {
  repository: section("Where snapshots are stored, and how the password is found", {
    location: optional("A path, file:///…, s3://bucket/prefix, azure://…, gs://… or <plugin_id>://…", location),
    passwordFile: optional("File whose first line is the password", path),
    passwordCommand: optional("Command that prints the password", text),
    keyFile: optional("File of random bytes that opens the repository instead of a password", path),
  }, "location"),

  cache: section("Copies of indexes and the catalogue; can be deleted at any time", {
    enabled: one("False keeps nothing between runs", boolean, "true"),
    dir: optional("Folder of the cache instead of the user's own", path),
  }),

  limits: section("Bandwidth to and from the repository", {
    upload: one("Highest speed of writing, 0 for no limit", rate, "0"),
    download: one("Highest speed of reading, 0 for no limit", rate, "0"),
  }),

  output: section("What is printed, and how", {
    json: one("Print JSON instead of text", boolean, "false"),
    verbosity: one("How much is told", oneOf("quiet", "normal", "verbose"), "normal"),
    progress: one("Show progress on stderr", boolean, "true"),
    color: one("Colours; auto means on a terminal", oneOf("auto", "always", "never"), "auto"),
  }),

  init: section("New repositories", {
    kdf: one("Function that makes a key from the password", oneOf("argon2id", "pbkdf2"), "argon2id"),
    label: optional("Name of the first password, shown by `axiom key list`", shortText(LIMITS.labelBytesMax)),
  }),

  backup: section("What is saved, and how", {
    paths: list("Files and folders to save when the command names none", path),
    filesFrom: list("Files that list further paths, one pattern on each line", path),
    filesFromRaw: list("Files that list further paths, each ended by a NUL byte", path),
    sources: list("Plugins whose streams are saved when the command names nothing", text, ","),
    mode: one("What unchanged files are compared with", oneOf("full", "incremental", "differential"), "incremental"),
    strategy: optional("Plugin that chooses the mode", text),
    tags: list("Tags of new snapshots", text, ","),
    host: optional("Host name of new snapshots instead of the machine's own", text),
    parent: optional("Snapshot to compare with instead of the last one of the same source", text),
    force: one("Read every file, changed or not", boolean, "false"),
    recheck: one("Share of the unchanged files that is read again all the same", percent, "0%"),
    exclude: list("Patterns of what is not saved, as in .gitignore", pattern),
    iexclude: list("The same, whatever the case of the letters", pattern),
    excludeFile: list("Files that hold such patterns, one on each line", path),
    excludeIfPresent: list("Save nothing else of a folder that holds such a file", folderMarker),
    excludeCaches: one("Save only CACHEDIR.TAG of folders that hold a valid one", boolean, "false"),
    filters: list("Plugins that leave out what they are made to find", text, ","),
    excludeLargerThan: optional("Do not save files larger than this", size),
    oneFileSystem: one("Do not descend into other file systems", boolean, "false"),
    compression: one("Codec and level, or none", compression, "zstd:3"),
    compressionRules: list(
      "By pattern, before the built-in rules for files that are compressed already",
      rule(compression, "*.log=zstd:19"),
    ),
    compressionFallback: one("Where a codec plugin fails, compress with zstd instead of ending", boolean, "false"),
    encryption: one("Cipher of the data; names and folders are always sealed", cipher, "aes-256-gcm"),
    encryptionRules: list(
      "By pattern; plain stores the data of these files unencrypted",
      rule(cipher, "/srv/public/**=plain"),
    ),
    chunkerRules: list("By pattern; fixed suits files that are rewritten in place", rule(chunker, "*.db=fixed:32KiB")),
    process: list("Plugins that work on each new snapshot", text, ","),
    notify: list("Plugins that are told how a backup ended, always or only of some outcomes", notifier),
    stdinFilename: one("Name of what is saved from stdin", text, "stdin"),
  }),

  restore: section("What is restored, and how", {
    include: list("Patterns of what is restored, as in .gitignore; empty for all", pattern),
    exclude: list("Patterns of what is not restored", pattern),
    overwrite: one("Which existing files are replaced", oneOf("always", "if-changed", "if-newer", "never"), "always"),
    delete: one(
      "Remove from the target what the snapshot does not hold, also what its backup left out",
      boolean,
      "false",
    ),
    verify: one("Read everything back and compare", boolean, "false"),
    notify: list("Plugins that are told how a restore ended", notifier),
  }),

  check: section("How thoroughly a repository is checked", {
    readData: one("Read and verify every stored byte", boolean, "false"),
    readDataSubset: optional("Read and verify only this part", readSubset),
    notify: list("Plugins that are told how a check ended", notifier),
  }),

  plugins: section("Which plugins are trusted", {
    policy: optional("Plugins without a trusted signature; warn by default", oneOf("require", "warn", "off")),
    trustedKeys: list("Public keys that may sign plugins, each behind the beginning of ids, or *", trustedKey),
    disabled: list("Plugins, built in or installed, that make nothing new", pluginId),
    options: list("Options of plugins", pluginOption),
    credentials: list("What plugins send to a host without seeing it", pluginCredential),
    trustCodecs: list("Decoders stored in a repository that may run, by SHA-256 or plugin id", trustedCodec),
    revoked: list("Ids of keys, and hashes of plugins, that are trusted no longer, whatever the policy", revoked),
  }),
};

export type Config = ConfigOf<typeof OPTIONS>;

/** Without any file, environment or flag. */
export const DEFAULT_CONFIG: Config = buildConfig(OPTIONS, (_path, option) => option.default);

/** Options by their path, such as `backup.exclude_caches`, in the order of the table. */
export const OPTION_BY_PATH: ReadonlyMap<string, Option<unknown>> = new Map(walkOptions(OPTIONS));
