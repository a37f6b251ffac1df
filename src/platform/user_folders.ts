import { isAbsolute, join } from "node:path";

/** Reads an environment variable; an empty one counts as not set. */
export type Variable = (name: string) => string | undefined;

const APPLICATION = "axiom";

/**
 * Where the program keeps what it must remember of this machine: its client id, and what it saw of repositories. XDG Base
 * Directory Specification, `XDG_STATE_HOME`; elsewhere what the system has for it. Undefined without a home folder.
 */
export function stateFolder(variable: Variable, os: string = Deno.build.os): string | undefined {
  return folderOf(variable, os, "XDG_STATE_HOME", [".local", "state"], "Application Support");
}

/** Where what a person put into the program lies, and could not be made again: `XDG_DATA_HOME`. */
export function dataFolder(variable: Variable, os: string = Deno.build.os): string | undefined {
  return folderOf(variable, os, "XDG_DATA_HOME", [".local", "share"], "Application Support");
}

/** Where what lives no longer than a session of the user lies: `XDG_RUNTIME_DIR`, else a folder below {@linkcode stateFolder}. */
export function runtimeFolder(variable: Variable, os: string = Deno.build.os): string | undefined {
  const base = variable("XDG_RUNTIME_DIR");
  if (os !== "windows" && base && isAbsolute(base)) return join(base, APPLICATION);
  const state = stateFolder(variable, os);
  return state && join(state, "run");
}

/** Where what can be made again lies; everything in it may be deleted at any time. */
export function cacheFolder(variable: Variable, os: string = Deno.build.os): string | undefined {
  const folder = folderOf(variable, os, "XDG_CACHE_HOME", [".cache"], "Caches");
  return os === "windows" && folder !== undefined ? join(folder, "cache") : folder;
}

function folderOf(
  variable: Variable,
  os: string,
  chosen: string,
  below: readonly string[],
  library: string,
): string | undefined {
  const base = variable(chosen);
  if (base && isAbsolute(base)) return join(base, APPLICATION); // a relative one is to be ignored, says the specification
  const home = variable("HOME") || variable("USERPROFILE");
  if (os === "windows") {
    const local = variable("LOCALAPPDATA") || (home && join(home, "AppData", "Local"));
    return local ? join(local, APPLICATION) : undefined;
  }
  if (!home) return undefined;
  return os === "darwin" ? join(home, "Library", library, APPLICATION) : join(home, ...below, APPLICATION);
}
