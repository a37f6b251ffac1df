import { AxiomError } from "../base/errors.ts";
import { trustedCodec } from "../config/plugin_trust.ts";
import type { Flag, FlagValues } from "./command.ts";

export const GLOBAL_FLAGS = [
  {
    long: "repo",
    short: "r",
    type: "folder",
    placeholder: "location",
    environment: "AXIOM_REPOSITORY",
    description: "Repository: a path, file:///…, s3://bucket/prefix, azure://…, gs://… or <plugin_id>://…",
  },
  {
    long: "password-file",
    short: "p",
    type: "file",
    placeholder: "file",
    environment: "AXIOM_PASSWORD_FILE",
    description: "Read the password from this file; without any of these it is asked on the terminal",
  },
  {
    long: "password-command",
    type: "text",
    placeholder: "command",
    environment: "AXIOM_PASSWORD_COMMAND",
    description: "Read the password from what this command prints; or set AXIOM_PASSWORD",
  },
  {
    long: "config",
    short: "c",
    type: "file",
    placeholder: "file",
    environment: "AXIOM_CONFIG",
    description: "Configuration; otherwise axiom.yaml here, then in your configuration folder",
  },
  {
    long: "profile",
    type: "text",
    placeholder: "name",
    environment: "AXIOM_ENV",
    description: "Profile of the configuration whose options replace the others",
  },
  {
    long: "cache-dir",
    type: "folder",
    placeholder: "dir",
    environment: "AXIOM_CACHE_DIR",
    description: "Where the cache lies, which is always disposable; otherwise your system's cache folder",
  },
  { long: "no-cache", type: "boolean", description: "Neither read nor write a cache" },
  { long: "json", type: "boolean", description: "Print JSON: one value, or JSON Lines for what takes long" },
  {
    long: "quiet",
    short: "q",
    type: "boolean",
    description: "No progress, and no summary of what went well",
  },
  { long: "verbose", short: "v", type: "count", description: "Say more" },
  { long: "no-progress", type: "boolean", description: "No progress" },
  {
    long: "trust-codec",
    type: "text",
    repeatable: true,
    placeholder: "sha256|id",
    description: "Run this decoder that the repository stores, where its plugin is not installed",
  },
  {
    long: "limit-upload",
    type: "integer",
    min: 1,
    placeholder: "KiB/s",
    description: "Send at most this much to the repository",
  },
  {
    long: "limit-download",
    type: "integer",
    min: 1,
    placeholder: "KiB/s",
    description: "Read at most this much from the repository",
  },
  { long: "help", short: "h", type: "boolean", description: "Show how a command is used" },
  { long: "version", type: "boolean", description: "Show the version" },
] as const satisfies readonly Flag[];

/** `environment` means AXIOM_PASSWORD, whose value is read where it is used and kept nowhere else. */
export type PasswordSource =
  | { kind: "file"; path: string }
  | { kind: "command"; command: string }
  | { kind: "environment" }
  | { kind: "terminal" };

export type CacheChoice = { kind: "default" } | { kind: "folder"; path: string } | { kind: "none" };

export interface GlobalOptions {
  readonly location: string | undefined;
  readonly password: PasswordSource;
  /** Of the command line alone: whoever reads the configuration knows the variables, and names what was at fault. */
  readonly configPath: string | undefined;
  readonly profile: string | undefined;
  readonly cache: CacheChoice;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbosity: number;
  readonly progress: boolean;
  /** SHA-256 and ids of plugins. */
  readonly trustedCodecs: readonly string[];
  readonly uploadKibPerSecondMax: number | undefined;
  readonly downloadKibPerSecondMax: number | undefined;
}

/**
 * @param given Long names of the flags that stood on the command line; these win over variables
 * @throws `usage` if flags contradict each other
 */
export function globalOptions(
  values: FlagValues<typeof GLOBAL_FLAGS>,
  given: ReadonlySet<string>,
  variable: (name: string) => string | undefined,
): GlobalOptions {
  refuseBoth(given, "password-file", "password-command");
  refuseBoth(given, "cache-dir", "no-cache");
  refuseBoth(given, "quiet", "verbose");
  return {
    location: values.repo,
    password: passwordSource(values, given, variable),
    configPath: given.has("config") ? values.config : undefined,
    profile: given.has("profile") ? values.profile : undefined,
    cache: values["no-cache"]
      ? { kind: "none" }
      : values["cache-dir"] === undefined
      ? { kind: "default" }
      : { kind: "folder", path: values["cache-dir"] },
    json: values.json,
    quiet: values.quiet,
    verbosity: values.verbose,
    progress: !values["no-progress"] && !values.quiet,
    trustedCodecs: values["trust-codec"].map(codecOf),
    uploadKibPerSecondMax: values["limit-upload"],
    downloadKibPerSecondMax: values["limit-download"],
  };
}

function codecOf(given: string): string {
  try {
    return trustedCodec.read(given, {});
  } catch {
    throw new AxiomError("usage", `Cannot use --trust-codec ${given}: expected ${trustedCodec.expected}`, {
      hint: "`axiom stats --mode raw-data` lists the decoders of a repository",
    });
  }
}

function passwordSource(
  values: FlagValues<typeof GLOBAL_FLAGS>,
  given: ReadonlySet<string>,
  variable: (name: string) => string | undefined,
): PasswordSource {
  const path = values["password-file"], command = values["password-command"];
  if (path !== undefined && !given.has("password-command")) return { kind: "file", path };
  if (command !== undefined) return { kind: "command", command };
  return variable("AXIOM_PASSWORD") ? { kind: "environment" } : { kind: "terminal" };
}

function refuseBoth(given: ReadonlySet<string>, one: string, other: string): void {
  if (!given.has(one) || !given.has(other)) return;
  throw new AxiomError("usage", `Cannot use --${one} and --${other} together`, { hint: "Leave one of them out" });
}
