import type { Flag } from "./command.ts";

const PATTERN = "written as in .gitignore";

/** What is saved. Patterns, lists and markers come in addition to those of the configuration. */
const SELECTION_FLAGS = [
  {
    long: "source",
    type: "text",
    repeatable: true,
    placeholder: "plugin",
    description: "Save the streams that this plugin gives, alone or beside paths",
  },
  {
    long: "exclude",
    short: "e",
    type: "text",
    repeatable: true,
    placeholder: "pattern",
    description: `Do not save what matches this pattern, ${PATTERN}; in addition to those of the configuration`,
  },
  {
    long: "iexclude",
    type: "text",
    repeatable: true,
    placeholder: "pattern",
    description: "The same, whatever the case of the letters",
  },
  {
    long: "exclude-file",
    type: "file",
    repeatable: true,
    description: `Do not save what matches a line of this file, ${PATTERN}`,
  },
  {
    long: "exclude-if-present",
    type: "text",
    repeatable: true,
    placeholder: "name[:header]",
    description: "Save nothing else of a folder that holds a file of this name, which begins with header",
  },
  {
    long: "exclude-caches",
    type: "boolean",
    option: "backup.exclude_caches",
    description: "Save only CACHEDIR.TAG of folders that hold a valid one",
  },
  {
    long: "filter",
    type: "text",
    repeatable: true,
    option: "backup.filters",
    placeholder: "plugin",
    description: "Do not save what this plugin leaves out",
  },
  {
    long: "exclude-larger-than",
    type: "size",
    option: "backup.exclude_larger_than",
    description: "Do not save files larger than this",
  },
  {
    long: "one-file-system",
    short: "x",
    type: "boolean",
    option: "backup.one_file_system",
    description: "Do not descend into other file systems",
  },
  {
    long: "files-from",
    type: "file",
    repeatable: true,
    description: "Save what the lines of this file name; # begins a comment, * and ? stand for names; - is stdin",
  },
  {
    long: "files-from-raw",
    type: "file",
    repeatable: true,
    description: "Save what this file names, each name ended by a NUL byte; - is stdin",
  },
] as const satisfies readonly Flag[];

/** How it is saved. */
const MANNER_FLAGS = [
  {
    long: "strategy",
    type: "text",
    option: "backup.strategy",
    placeholder: "plugin",
    description: "This plugin chooses the mode",
  },
  {
    long: "mode",
    type: "choice",
    choices: ["full", "incremental", "differential"],
    option: "backup.mode",
    description: "What unchanged files are compared with: nothing, the last snapshot, or the last full one",
  },
  {
    long: "tag",
    type: "text",
    repeatable: true,
    option: "backup.tags",
    placeholder: "tag[,tag]",
    description: "Mark the snapshot",
  },
  {
    long: "host",
    type: "text",
    option: "backup.host",
    description: "Name of the machine in the snapshot, instead of its own",
  },
  { long: "time", type: "time", description: "Time of the snapshot, instead of now" },
  {
    long: "parent",
    type: "text",
    option: "backup.parent",
    placeholder: "snapshot",
    description: "Compare with this snapshot instead of the last one of the same source",
  },
  {
    long: "force",
    short: "f",
    type: "boolean",
    option: "backup.force",
    description: "Read every file, changed or not",
  },
  {
    long: "recheck",
    type: "percent",
    option: "backup.recheck",
    description: "Share of the unchanged files that is read again all the same",
  },
  {
    long: "compression",
    type: "text",
    placeholder: "codec[:level]",
    option: "backup.compression",
    description: "Codec and level, or none",
  },
  {
    long: "compression-fallback",
    type: "boolean",
    option: "backup.compression_fallback",
    description: "Where a codec plugin fails, compress with zstd instead of ending",
  },
  {
    long: "encryption",
    type: "text",
    placeholder: "cipher",
    option: "backup.encryption",
    description: "aes-256-gcm, aes-256-cbc or aes-256-ctr",
  },
  {
    long: "process",
    type: "text",
    repeatable: true,
    option: "backup.process",
    placeholder: "plugin",
    description: "Let this plugin work on the snapshot once it is there",
  },
  {
    long: "notify",
    type: "text",
    repeatable: true,
    option: "backup.notify",
    placeholder: "plugin[=outcome,…]",
    description: "Tell this plugin how it ended; only of success, warning or failure where these are named",
  },
  { long: "dry-run", short: "n", type: "boolean", description: "Read everything, store nothing" },
] as const satisfies readonly Flag[];

const STREAM_FLAGS = [
  { long: "stdin", type: "boolean", description: "Save what comes from standard input as one file" },
  {
    long: "stdin-filename",
    type: "text",
    placeholder: "name",
    option: "backup.stdin_filename",
    description: "Name of that file in the snapshot",
  },
  {
    long: "stdin-from-command",
    type: "boolean",
    description: "Save what the command after -- prints; if it fails, there is no snapshot",
  },
] as const satisfies readonly Flag[];

export const BACKUP_FLAGS = [...SELECTION_FLAGS, ...MANNER_FLAGS, ...STREAM_FLAGS] as const;
