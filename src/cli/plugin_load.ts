/** What `plugin load` and `plugin replace` have in common. */
import type { Capability } from "../plugins/capabilities.ts";
import { type LoadedPlugin, loadPlugin } from "../plugins/installed.ts";
import { absolute } from "../operations/source_list.ts";
import { readSignedPlugin } from "../plugins/signed_file.ts";
import type { ControlAnswer } from "../plugins/control_message.ts";
import type { Flag, FlagValues } from "./command.ts";
import type { CommandContext } from "./context.ts";
import { escapeLines } from "./event_json.ts";
import { askRunning, hasRefusal, processesJson, processLines } from "./plugin_processes.ts";
import { askingLines, capabilitiesJson, pluginFolderOf, signerName, trustOf } from "./plugin_place.ts";

export const PLUGIN_FILE = {
  name: "file",
  description: "The plugin, a .wasm file with a manifest",
  completes: "file",
} as const;

export const SIGNATURE_FLAG = [
  {
    long: "signature",
    type: "file",
    description: "Its signature; otherwise the file of that name with .minisig at its end",
  },
] as const satisfies readonly Flag[];

export interface LoadOptions {
  path: string;
  signaturePath: string | undefined;
}

/** With what running processes made of it. */
interface Loaded extends LoadedPlugin {
  readonly processes: readonly ControlAnswer[];
}

export function loadOptions(values: FlagValues<typeof SIGNATURE_FLAG>, [path]: readonly string[]): LoadOptions {
  return { path, signaturePath: values.signature };
}

export async function loadFrom(
  { path, signaturePath }: LoadOptions,
  { app: open }: CommandContext,
  replaces: boolean,
): Promise<Loaded> {
  const app = await open();
  const file = await readSignedPlugin(absolute(path, app.folder), signaturePath && absolute(signaturePath, app.folder));
  const loaded = await loadPlugin(pluginFolderOf(app), file, trustOf(app), { replaces, tryWith: app.clock });
  if (loaded.doubt !== undefined) {
    const message =
      `The plugin ${loaded.manifest.pluginId} ${loaded.manifest.version} is used without a trusted signature: ${loaded.doubt}`;
    app.events({ type: "warning", code: "plugin_signature", message });
  }
  return { ...loaded, processes: await askRunning(app, "sync") };
}

export function loadedText({ plugin, manifest, missing, processes }: Loaded): string {
  const { pluginId, version, previous } = plugin;
  const signer = signerName(plugin.key);
  const lines = [
    `Loaded ${pluginId} ${version}${
      previous === undefined ? "" : ` in the place of ${previous.version}`
    }: ${manifest.description}`,
    signer === null ? "Not signed by anyone who is trusted" : `Signed with the trusted key ${signer}`,
  ];
  if (missing.length > 0) {
    lines.push(
      "It waits until you allow it to",
      ...askingLines(missing),
      `Allow all of that: axiom plugin grant --all${placesLeft(missing)} ${pluginId}`,
    );
  }
  return [...lines.map(escapeLines), ...processLines(processes, [pluginId])].join("\n");
}

/** What a plugin leaves to whoever grants it. */
function placesLeft(missing: readonly Capability[]): string {
  const host = missing.some(({ name, hosts }) => name === "net.http" && hosts === undefined);
  const folder = missing.some(({ name, folders }) => name === "files" && folders === undefined);
  return `${host ? " --host <host>" : ""}${folder ? " --folder <dir>" : ""}`;
}

export function loadedJson({ plugin, manifest, missing, doubt, processes }: Loaded): unknown {
  const { pluginId, version, sha256, key, previous } = plugin;
  return {
    plugin_id: pluginId,
    version,
    category: manifest.category,
    sha256,
    key_id: signerName(key),
    replaced_version: previous?.version ?? null,
    state: missing.length === 0 ? "ready" : "held",
    missing: capabilitiesJson(missing),
    doubt: doubt ?? null,
    processes: processesJson(processes),
  };
}

/** 14 where a running process cannot use what is installed now and does not only wait for a grant. */
export function loadedCode({ processes, missing }: Loaded): number {
  return missing.length === 0 && hasRefusal(processes) ? 14 : 0;
}
