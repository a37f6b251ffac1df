import { AxiomError } from "../../base/errors.ts";
import { type DevelopSummary, tryBuild, watchPlugin } from "../../operations/develop_plugin.ts";
import { absolute } from "../../operations/source_list.ts";
import type { App } from "../app.ts";
import { defineCommand } from "../command.ts";
import { findingsCode, findingsJson, findingsText } from "../plugin_findings.ts";
import { pluginFolderOf, trustOf } from "../plugin_place.ts";
import { askRunning, processLines } from "../plugin_processes.ts";
import { count } from "../wording.ts";

const FLAGS = [
  {
    long: "watch",
    type: "boolean",
    description: "Go on with each change until it is interrupted, and swap in what passes",
  },
  { long: "manifest", type: "file", placeholder: "file", description: "Instead of plugin.yaml beside the module" },
] as const;

type Result = { kind: "tried"; tried: Awaited<ReturnType<typeof tryBuild>> } | {
  kind: "ended";
  summary: DevelopSummary;
};

export const pluginDev = defineCommand({
  name: "plugin dev",
  summary: "Build and try a plugin while you write it, and swap it in with each change",
  usage: "axiom plugin dev [--watch] [--manifest <file>] <file> [-- <command>…]",
  details:
    "With --watch, each change of the module, or of what the command builds it from, is tried by the rules that take no " +
    "long time. What passes takes over in running processes of yours, with what the plugin was granted before, signed or " +
    "not; of what fails you are told why, and the version before goes on. Ctrl-C puts back what was installed. Sources are " +
    "the files beside the manifest, but hidden ones and those that .gitignore names there. Without --watch it is built and " +
    "tried once, by every rule, and nothing is loaded.",
  arguments: [
    {
      name: "file",
      description: "The .wasm file that a compiler makes, with a manifest in it or beside it",
      completes: "file",
    },
    { name: "command", description: "Builds it; no shell changes a word", optional: true, repeatable: true },
  ],
  flags: FLAGS,
  examples: [
    { command: "axiom plugin dev --watch out.wasm -- make", does: "Build it with each change of its sources" },
    { command: "axiom plugin dev --watch my_codec.wasm", does: "Follow what another program builds" },
    { command: "axiom plugin dev out.wasm -- make", does: "Build and try it once" },
  ],
  stream: true,
  parse: ({ watch, manifest }, [file, ...command]) => ({ watch, manifest, file, command }),
  run: async ({ watch, manifest, file, command }, { app: open }): Promise<Result> => {
    const app = await open();
    const { folder, clock, signal, events } = app;
    const request = {
      file: absolute(file, folder),
      manifest: manifest === undefined ? undefined : absolute(manifest, folder),
      command,
    };
    const context = { workFolder: folder, clock, signal, onEvent: events };
    if (!watch) return { kind: "tried", tried: await tryBuild(request, context) };
    const trust = trustOf(app);
    if (trust.policy === "require") throw unsigned();
    const announce = (pluginId: string) => announced(app, pluginId);
    const summary = await watchPlugin(request, { ...context, plugins: pluginFolderOf(app), trust, announce });
    return { kind: "ended", summary };
  },
  render: (result) => result.kind === "tried" ? findingsText(result.tried) : summaryText(result.summary),
  json: (result) => {
    if (result.kind === "tried") return findingsJson(result.tried);
    const { tries, swaps, restored } = result.summary;
    return { tries, swaps, plugin_id: restored?.pluginId ?? null, restored_version: restored?.version ?? null };
  },
  exitCode: (result) => result.kind === "tried" ? findingsCode(result.tried) : 0,
});

async function announced(app: App, pluginId: string): Promise<string[]> {
  return processLines(await askRunning(app, "sync"), [pluginId]);
}

function unsigned(): AxiomError {
  return new AxiomError(
    "plugin_refused",
    "Cannot use what is being written: plugins.policy is require, and it is not signed",
    {
      hint: "Set AXIOM_CONFIG_PLUGINS_POLICY=warn for this command and for the processes that are to use it",
    },
  );
}

function summaryText({ tries, swaps, restored }: DevelopSummary): string {
  const head = `Tried ${count(tries, "build")} and used ${swaps}`;
  if (restored === undefined) return `${head}; nothing has changed`;
  const { pluginId, version, isOthers } = restored;
  if (isOthers) return `${head}; ${pluginId} was changed by somebody else meanwhile, and stays so`;
  return `${head}; ${pluginId} is ${version === undefined ? "unloaded" : `${version} again`}, as before`;
}
