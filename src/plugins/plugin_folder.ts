/**
 * Installed plugins on disk, in a folder that only this user may use:
 *
 * ```text
 * plugins.lock                   what is installed; its replacement is what counts
 * modules/<sha256>.wasm          original bytes, with <sha256>.wasm.minisig beside where there is a signature
 * guard                          locked by whoever changes the above
 * ```
 *
 * A module is whole before the lock names it, and goes after the lock names it no longer; whoever changes the lock next
 * takes away what a process that was killed left behind.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { folderFault } from "../platform/folder_fault.ts";
import { userIds } from "../platform/host.ts";
import { type StateFiles, stateFiles } from "../platform/state_files.ts";
import { decodeLock, encodeLock, type LockedPlugin, PLUGINS_LOCK } from "./plugins_lock.ts";
import { nameOfPlugin, type PluginIdentity } from "./plugin_failure.ts";

const GUARD = "guard", MODULES = "modules";
const OTHERS_MAY_WRITE = 0o022;

/** A plugin's file as it was read, once. */
export interface PluginBytes {
  readonly bytes: Bytes;
  /** Of {@linkcode bytes}, hexadecimal. */
  readonly sha256: string;
  /** What its `.minisig` holds; undefined where there is none. */
  readonly signature: string | undefined;
}

export interface PluginFolder {
  readonly path: string;
  /** What is installed, by id. */
  list(): Promise<LockedPlugin[]>;
  /** The bytes of what is installed; throws `plugin_refused` if they are not those that were installed. */
  open(name: PluginIdentity): Promise<PluginBytes>;
  /**
   * Replaces the list by what `change` makes of it, while no other process does; `added` are modules that the new list may
   * name. Throws what `change` throws, and then nothing has changed.
   */
  change(change: (plugins: LockedPlugin[]) => LockedPlugin[], added?: readonly PluginBytes[]): Promise<void>;
}

export function sha256Of(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** The folder is made by the first change. Everything here throws `AxiomError`. */
export function pluginFolder(path: string): PluginFolder {
  const files = stateFiles(path);
  const guarded = async <T>(task: () => Promise<T>): Promise<T> => {
    try {
      await demandPrivate(path);
      return await task();
    } catch (error) {
      if (error instanceof AxiomError) throw error;
      throw new AxiomError("storage_failed", `Cannot use the plugin folder ${path}: ${folderFault(path, error)}`, {
        hint: "Check who owns it, and that there is space left",
        cause: error,
      });
    }
  };
  return {
    path,
    list: () => guarded(() => readLock(files)),
    open: (name) => guarded(() => openModule(files, name)),
    change: (change, added = []) =>
      guarded(async () => {
        await Deno.mkdir(join(path, MODULES), { recursive: true, mode: 0o700 });
        using guard = await Deno.open(join(path, GUARD), { write: true, create: true, mode: 0o600 });
        await guard.lock(true);
        const plugins = change(await readLock(files));
        for (const module of added) await writeModule(files, module);
        await files.write(PLUGINS_LOCK, encodeLock(plugins));
        await sweep(path, plugins);
      }),
  };
}

async function readLock(files: StateFiles): Promise<LockedPlugin[]> {
  const data = await files.read(PLUGINS_LOCK);
  if (data === undefined) return [];
  try {
    return decodeLock(data);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const path = join(files.folder, PLUGINS_LOCK);
    throw new AxiomError("plugin_refused", `Cannot trust what ${path} says of plugins: ${messageOf(error)}`, {
      hint: "Put it right, or move it away and load the plugins again",
    });
  }
}

async function openModule(
  files: StateFiles,
  name: PluginIdentity,
): Promise<PluginBytes> {
  const path = moduleName(name.sha256);
  const bytes = await files.read(path);
  const sha256 = bytes && sha256Of(bytes);
  if (bytes === undefined || sha256 !== name.sha256) {
    const why = bytes === undefined ? "its file is gone" : `its file was changed, and has now the SHA-256 ${sha256}`;
    throw new AxiomError("plugin_refused", `Cannot use the plugin ${nameOfPlugin(name)}: ${why}`, {
      hint: `Run \`axiom plugin unload ${name.pluginId}\`, then load it again`,
    });
  }
  const signature = await files.read(`${path}.minisig`);
  return { bytes, sha256, signature: signature && fromUtf8(signature.subarray(0, LIMITS.signatureFileBytesMax)) };
}

async function writeModule(files: StateFiles, { bytes, sha256, signature }: PluginBytes): Promise<void> {
  const path = moduleName(sha256);
  await files.write(path, bytes);
  if (signature === undefined) await files.remove(`${path}.minisig`);
  else await files.write(`${path}.minisig`, utf8(signature));
}

function moduleName(sha256: string): string {
  return `${MODULES}/${sha256}.wasm`;
}

async function sweep(path: string, plugins: readonly LockedPlugin[]): Promise<void> {
  const hashes = plugins.flatMap(({ sha256, previous }) =>
    previous === undefined ? [sha256] : [sha256, previous.sha256]
  );
  const kept = new Set(hashes.flatMap((sha256) => [`${sha256}.wasm`, `${sha256}.wasm.minisig`]));
  for await (const { name } of Deno.readDir(join(path, MODULES))) {
    if (!kept.has(name)) await Deno.remove(join(path, MODULES, name));
  }
}

/** Whoever can write there decides what runs here. */
async function demandPrivate(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  const ids = userIds();
  const isForeign = ids !== undefined && info.uid !== null && info.uid !== ids.uid;
  if (!isForeign && (info.mode! & OTHERS_MAY_WRITE) === 0) return;
  const why = isForeign
    ? `it belongs to the user ${info.uid}`
    : `its mode ${(info.mode! & 0o777).toString(8)} lets others write`;
  throw new AxiomError("plugin_refused", `Cannot trust the plugin folder ${path}: ${why}`, {
    hint: isForeign ? "Take it over, or move it away" : `Run \`chmod 700 ${path}\`, and look at what lies there`,
  });
}
