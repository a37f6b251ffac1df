import { dirname, extname, isAbsolute, join } from "node:path";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { type Environment, readEnvironment } from "./environment.ts";
import { configError, type Issue, meant, quote } from "./issue.ts";
import { type Layer, type LayerContext, readSection, readTexts, type Setting } from "./layer.ts";
import { buildConfig } from "./option.ts";
import { type Config, OPTION_BY_PATH, OPTIONS } from "./schema.ts";

/** An option that a flag sets: `{ path: "backup.exclude", flag: "--exclude", values: ["*.tmp"] }`. */
export interface FlagSetting {
  readonly path: string;
  readonly flag: string;
  /** As they were typed; `true` and `false` for a flag without value; several only for lists. */
  readonly values: readonly string[];
}

export interface ConfigSources {
  /** Absolute. */
  readonly folder: string;
  readonly env: Environment;
  readonly flags?: readonly FlagSetting[];
  /** Of `--config`; wins over `AXIOM_CONFIG`. */
  readonly configFile?: string;
  /** Of `--profile`; wins over `AXIOM_ENV`. */
  readonly profile?: string;
  /** The first `bytesMax` bytes of a file; undefined where there is none. */
  readFile(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly profile: string | undefined;
  /** What was read, as messages name it; the later wins. */
  readonly files: readonly string[];
  /** Where the value of an option such as `backup.tags` comes from: `axiom.yaml:12:5`, `AXIOM_…`, `--tag` or `default`. */
  origin(path: string): string;
}

interface File {
  /** As messages name it. */
  readonly name: string;
  readonly path: string;
  readonly data: Uint8Array;
}

const PROFILE = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/**
 * Reads the configuration: file < its profile < the profile's own file (`axiom.night.yaml` beside `axiom.yaml`) <
 * environment < flags. Throws one `config_invalid` that lists everything that is wrong, or `usage` if only flags are.
 */
export async function loadConfig(sources: ConfigSources): Promise<LoadedConfig> {
  const issues: Issue[] = [];
  const { env } = sources;
  const profileOrigin = sources.profile !== undefined ? "--profile" : "AXIOM_ENV";
  const profile = (sources.profile ?? env.AXIOM_ENV) || undefined;
  if (profile !== undefined && !PROFILE.test(profile)) {
    const message = `expected a name of letters, digits, _ and -, found ${quote(profile)}`;
    throw configError([{ origin: profileOrigin, path: "", message }]);
  }
  const { base, beside } = await findFiles(sources, profile);
  const layers: Layer[] = [];
  const home = homeOf(env);
  const context = (folder?: string): LayerContext => {
    const layer: Layer = new Map();
    layers.push(layer);
    return { layer, issues, env, folder, home };
  };
  let profiles: string[] = [];
  if (base !== undefined) profiles = await readBase(base, profile, context);
  if (beside !== undefined) {
    const { readYaml } = await import("./yaml_tree.ts");
    const { tree, issues: wrong } = readYaml(beside.data, beside.name);
    issues.push(...wrong);
    readSection(OPTIONS, tree, "", "", context(dirname(beside.path)));
  }
  if (profile !== undefined && beside === undefined && !profiles.includes(profile)) {
    const known = profiles.length === 0 ? "no profile is defined" : `the profiles are ${profiles.join(", ")}`;
    const message = `expected a profile that is defined, found ${quote(profile)}${meant(profile, profiles)}`;
    issues.push({ origin: profileOrigin, path: "", message, hint: `Choose another profile; ${known}` });
  }
  await readEnvironment(env, { ...context(), env: undefined });
  const flags = { ...context(), env: undefined };
  for (const { path, flag, values } of sources.flags ?? []) readTexts(path, values, flag, flags);
  if (issues.length > 0) throw configError(issues);
  return merged(layers, profile, [base, beside].flatMap((file) => file === undefined ? [] : [file.name]));
}

// YAML is loaded when there is some: it takes longer than all else here, and many people need none.

/** Reads the file, and all of its profiles, so that a mistake shows before the night in which a profile is first used. */
async function readBase(
  file: File,
  profile: string | undefined,
  context: (folder?: string) => LayerContext,
): Promise<string[]> {
  const { readYaml } = await import("./yaml_tree.ts");
  const { tree, issues } = readYaml(file.data, file.name);
  const main = context(dirname(file.path));
  main.issues.push(...issues);
  if (tree.kind !== "map") {
    readSection(OPTIONS, tree, "", "", main);
    return [];
  }
  const isProfiles = ({ key }: { key: string }) => key === "profiles";
  readSection(OPTIONS, { ...tree, entries: tree.entries.filter((entry) => !isProfiles(entry)) }, "", "", main);
  const profiles = tree.entries.find(isProfiles)?.value;
  if (profiles === undefined || profiles.kind === "nothing") return [];
  if (profiles.kind !== "map") {
    main.issues.push({
      origin: profiles.at,
      path: "profiles",
      message: "expected a section with one key for each profile",
    });
    return [];
  }
  const chosen = context(dirname(file.path));
  for (const { key, at, value } of profiles.entries) {
    if (!PROFILE.test(key)) {
      const message = `expected a name of letters, digits, _ and -, found ${quote(key)}`;
      main.issues.push({ origin: at, path: "profiles", message });
    }
    readSection(OPTIONS, value, "", `profiles.${key}.`, key === profile ? chosen : { ...chosen, layer: new Map() });
  }
  return profiles.entries.map(({ key }) => key);
}

function merged(layers: readonly Layer[], profile: string | undefined, files: string[]): LoadedConfig {
  const settings = new Map<string, Setting>();
  for (const layer of layers) for (const [path, setting] of layer) settings.set(path, setting);
  const config = buildConfig(
    OPTIONS,
    (path, option) => settings.has(path) ? settings.get(path)!.value : option.default,
  );
  return {
    config,
    profile,
    files,
    origin(path) {
      if (!OPTION_BY_PATH.has(path)) throw new TypeError(`No such option: ${path}`);
      return settings.get(path)?.origin ?? "default";
    },
  };
}

function homeOf(env: Environment): string | undefined {
  return env.HOME || env.USERPROFILE || undefined;
}

/** The file that was named, else the first folder that holds `axiom.yaml` or that of the profile. */
async function findFiles(
  sources: ConfigSources,
  profile: string | undefined,
): Promise<{ base: File | undefined; beside: File | undefined }> {
  const { env, folder } = sources;
  const named = sources.configFile ?? (env.AXIOM_CONFIG || undefined);
  const inFolder = (name: string) => isAbsolute(name) ? name : join(folder, name);
  const read = async (name: string): Promise<File | undefined> => {
    const path = inFolder(name);
    try {
      const data = await sources.readFile(path, LIMITS.configFileBytesMax + 1);
      return data === undefined ? undefined : { name, path, data };
    } catch (error) {
      // Below /dev and /proc, where home folders of services are said to be, a compiled program may not even look.
      if (named === undefined && error instanceof Error && error.name === "NotCapable") return undefined;
      throw configError([{
        origin: name,
        path: "",
        message: `expected a file that can be read, found ${messageOf(error)}`,
      }]);
    }
  };
  const pair = async (name: string) => {
    const suffix = extname(name);
    const besideName = `${name.slice(0, name.length - suffix.length)}.${profile}${suffix}`;
    return { base: await read(name), beside: profile === undefined ? undefined : await read(besideName) };
  };
  if (named !== undefined) {
    const files = await pair(named);
    if (files.base !== undefined) return files;
    const origin = sources.configFile !== undefined ? "--config" : "AXIOM_CONFIG";
    throw configError([{ origin, path: "", message: `expected a file, found none at ${quote(inFolder(named))}` }]);
  }
  const home = homeOf(env);
  const chosen = env.XDG_CONFIG_HOME ?? "";
  const settings = (isAbsolute(chosen) && chosen) || env.APPDATA || (home && join(home, ".config"));
  for (const name of ["axiom.yaml", ...(settings ? [join(settings, "axiom", "axiom.yaml")] : [])]) {
    const files = await pair(name);
    if (files.base !== undefined || files.beside !== undefined) return files;
  }
  return { base: undefined, beside: undefined };
}
