/** What a person does with installed plugins: load, unload, grant, revoke. Everything here is one change of `plugins.lock`. */
import type { Clock } from "../base/clock.ts";
import { AxiomError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { admit } from "./admission.ts";
import { beyondGrant, type Capability } from "./capabilities.ts";
import { demandDependencies } from "./dependencies.ts";
import type { PluginManifest } from "./manifest.ts";
import { nameOfPlugin } from "./plugin_failure.ts";
import type { PluginBytes, PluginFolder } from "./plugin_folder.ts";
import type { Grant, LockedPlugin, LockedVersion } from "./plugins_lock.ts";
import { judge, type Trust } from "./trust.ts";
import { tryFile } from "./try_file.ts";

export interface LoadedPlugin {
  readonly plugin: LockedPlugin;
  readonly manifest: PluginManifest;
  /** Why the signer is not trusted, which the policy lets pass. */
  readonly doubt: string | undefined;
  /** What it asks for and was not granted; it waits as long as there is any. */
  readonly missing: readonly Capability[];
}

/**
 * Installs a plugin that passed admission and has a signature that is good enough. Another generation of it must be there if
 * `replaces`, and must not be there otherwise; what it needs must be there. Its grants stay if the same trusted key signed both.
 *
 * @param tryWith Times a trial of codecs and ciphers, which must be able to take over
 * @param keepsGrants Whoever signed it, what was granted stays: for rebuilds of a plugin while its author works at it
 */
export async function loadPlugin(
  folder: PluginFolder,
  file: PluginBytes & { name?: string },
  trust: Trust,
  { replaces, tryWith, keepsGrants = false }: { replaces: boolean; tryWith?: Clock; keepsGrants?: boolean },
): Promise<LoadedPlugin> {
  const admitted = admit(file.bytes, { name: file.name });
  const { manifest } = admitted;
  const { pluginId, version } = manifest;
  const { signer, doubt } = await judge({ ...file, pluginId, version }, trust);
  const manifests = await Promise.all((await folder.list()).map((each) => manifestOf(folder, each)));
  demandDependencies({ ...manifest, sha256: file.sha256 }, manifests.filter((each) => each !== undefined));
  if (tryWith !== undefined) await tryFile(folder, admitted, trust, tryWith);
  let plugin!: LockedPlugin;
  await folder.change((plugins) => {
    const old = replaces ? installed(plugins, pluginId) : plugins.find((each) => each.pluginId === pluginId);
    if (old !== undefined && !replaces && old.sha256 !== file.sha256) {
      throw new AxiomError(
        "plugin_refused",
        `Cannot load the plugin ${nameOfPlugin({ pluginId, version, sha256: file.sha256 })}: ${
          nameOfPlugin(old)
        } is there`,
        {
          hint: "Run `axiom plugin replace` with the same file",
        },
      );
    }
    plugin = successor(old, { pluginId, version, sha256: file.sha256, key: signer ?? null }, keepsGrants);
    return [...plugins.filter((each) => each.pluginId !== pluginId), plugin];
  }, [file]);
  return { plugin, manifest, doubt, missing: beyondGrant(manifest.capabilities, plugin.grants) };
}

function successor(
  old: LockedPlugin | undefined,
  made: Omit<LockedPlugin, "grants" | "previous">,
  keepsGrants: boolean,
): LockedPlugin {
  if (old === undefined) return { ...made, grants: [] };
  const isSame = old.sha256 === made.sha256;
  const grants = isSame || keepsGrants || (old.key !== null && old.key === made.key) ? old.grants : [];
  const previous = isSame ? old.previous : versionOf(old);
  return { ...made, grants, ...(previous === undefined ? {} : { previous }) };
}

function versionOf({ version, sha256, key, grants }: LockedVersion): LockedVersion {
  return { version, sha256, key, grants };
}

/** Brings the generation before back, and keeps the present one as that. Returns the one that counts now. */
export async function rollBackPlugin(folder: PluginFolder, pluginId: string, trust: Trust): Promise<LockedPlugin> {
  const { previous } = installed(await folder.list(), pluginId);
  const noPrevious = () =>
    new AxiomError("plugin_missing", `Cannot roll the plugin ${pluginId} back: no generation before this one is kept`, {
      hint: "Load the file that you want with `axiom plugin replace`",
    });
  if (previous === undefined) throw noPrevious();
  const file = await folder.open({ pluginId, ...previous });
  await judge({ ...file, pluginId, version: previous.version, key: previous.key }, trust);
  return await changeOne(folder, pluginId, (now) => {
    if (now.previous?.sha256 !== previous.sha256) throw noPrevious();
    return { pluginId, ...previous, previous: versionOf(now) };
  });
}

/** Puts the generation before in the place of one that was quarantined, if nobody changed either meanwhile. */
export async function forgetQuarantined(
  folder: PluginFolder,
  pluginId: string,
  quarantined: string,
  restored: string,
): Promise<void> {
  await folder.change((plugins) =>
    plugins.map((each) => {
      const { previous } = each;
      const isMeant = each.pluginId === pluginId && each.sha256 === quarantined && previous?.sha256 === restored;
      return isMeant ? { pluginId, ...previous! } : each;
    })
  );
}

/** Removes a plugin, and with `withDependants` all that need it; returns what is gone. */
export async function unloadPlugin(
  folder: PluginFolder,
  pluginId: string,
  { withDependants }: { withDependants: boolean },
): Promise<LockedPlugin[]> {
  const plugins = await folder.list();
  installed(plugins, pluginId);
  const needs = new Map<string, readonly string[]>();
  for (const plugin of plugins) needs.set(plugin.pluginId, await neededBy(folder, plugin));
  const doomed = new Set([pluginId]);
  for (const gone of doomed) for (const [id, needed] of needs) if (needed.includes(gone)) doomed.add(id);
  if (doomed.size > 1 && !withDependants) {
    const others = [...doomed].slice(1).join(", ");
    throw new AxiomError(
      "plugin_refused",
      `Cannot unload the plugin ${pluginId}: ${others} would not work without it`,
      {
        hint: "Give --with-dependants to unload them, too",
      },
    );
  }
  const removed: LockedPlugin[] = [];
  await folder.change((now) => {
    removed.push(...now.filter((each) => doomed.has(each.pluginId)));
    return now.filter((each) => !doomed.has(each.pluginId));
  });
  return removed;
}

async function neededBy(folder: PluginFolder, plugin: LockedPlugin): Promise<string[]> {
  const dependencies = (await manifestOf(folder, plugin))?.dependencies ?? [];
  return dependencies.filter(({ optional }) => !optional).map(({ pluginId }) => pluginId);
}

/** Nothing for one that does not work anyway. */
async function manifestOf(folder: PluginFolder, plugin: LockedPlugin): Promise<PluginManifest | undefined> {
  try {
    return admit((await folder.open(plugin)).bytes, {}).manifest;
  } catch (error) {
    if (error instanceof AxiomError) return undefined;
    throw error;
  }
}

/** Replaces the grants of the generation with `sha256`, which is the one that a person saw. */
export async function setGrants(
  folder: PluginFolder,
  { pluginId, sha256 }: { pluginId: string; sha256: string },
  grantsOf: (held: readonly Grant[]) => readonly Grant[],
): Promise<LockedPlugin> {
  return await changeOne(folder, pluginId, (held) => {
    if (held.sha256 === sha256) return { ...held, grants: grantsOf(held.grants) };
    throw new AxiomError("plugin_refused", `Cannot change what ${pluginId} may: it was replaced meanwhile`, {
      hint: "Run the same command again",
    });
  });
}

/** Names of what a plugin was granted, or the generation before, which may serve while the present one waits. */
export function grantedNames({ grants, previous }: LockedPlugin): string[] {
  return [...new Set([...grants, ...previous?.grants ?? []].map(({ name }) => name))];
}

/** Takes grants back from a plugin, and from the generation that a rollback would bring back; `names` or all. */
export async function takeGrants(
  folder: PluginFolder,
  pluginId: string,
  names: readonly string[] | undefined,
): Promise<LockedPlugin> {
  const left = (grants: readonly Grant[]) => grants.filter(({ name }) => names !== undefined && !names.includes(name));
  return await changeOne(folder, pluginId, (held) => {
    const previous = held.previous && { previous: { ...held.previous, grants: left(held.previous.grants) } };
    return { ...held, grants: left(held.grants), ...previous };
  });
}

async function changeOne(
  folder: PluginFolder,
  pluginId: string,
  change: (held: LockedPlugin) => LockedPlugin,
): Promise<LockedPlugin> {
  let plugin!: LockedPlugin;
  await folder.change((plugins) => {
    plugin = change(installed(plugins, pluginId));
    return plugins.map((each) => each.pluginId === pluginId ? plugin : each);
  });
  return plugin;
}

/** Throws `plugin_missing` with what was probably meant. */
export function installed(plugins: readonly LockedPlugin[], pluginId: string): LockedPlugin {
  const found = plugins.find((each) => each.pluginId === pluginId);
  if (found !== undefined) return found;
  const meant = nearest(pluginId, plugins.map((each) => each.pluginId));
  throw new AxiomError("plugin_missing", `Cannot find the plugin ${pluginId}: none is installed by that id`, {
    hint: meant === undefined ? "`axiom plugin list` shows what is installed" : `Did you mean ${meant}?`,
  });
}
