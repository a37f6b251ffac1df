import { unloadPlugin } from "../../plugins/installed.ts";
import type { LockedPlugin } from "../../plugins/plugins_lock.ts";
import { notesOf, removeNotes } from "../../plugins/services/notes_file.ts";
import type { App } from "../app.ts";
import { defineCommand } from "../command.ts";
import { escapeLines } from "../event_json.ts";
import { askRunning, processesJson, processLines } from "../plugin_processes.ts";
import { pluginFolderOf } from "../plugin_place.ts";

const FLAGS = [
  { long: "with-dependants", type: "boolean", description: "Also those that would not work without it" },
  { long: "notes", type: "boolean", description: "Also what they noted on this machine, if they are installed or not" },
] as const;

export const pluginUnload = defineCommand({
  name: "plugin unload",
  summary: "Remove an installed plugin, and what it was granted",
  usage: "axiom plugin unload [--with-dependants] [--notes] <id>",
  details: "What a plugin noted stays for when it is loaded again, unless --notes is given.",
  arguments: [{ name: "id", description: "Of the plugin" }],
  flags: FLAGS,
  examples: [
    { command: "axiom plugin unload compression_lz4", does: "Remove it" },
    { command: "axiom plugin unload --with-dependants hash_xxh", does: "Remove all that need it, too" },
    { command: "axiom plugin unload --notes source_shop", does: "Remove it for good" },
  ],
  acts: true,
  parse: (values, [id]) => ({ id, withDependants: values["with-dependants"], withNotes: values.notes }),
  run: async ({ id, withDependants, withNotes }, { app: open }) => {
    const app = await open();
    const orphaned = withNotes ? await notesWithout(app, id) : undefined;
    const removed = orphaned === undefined ? await unloadPlugin(pluginFolderOf(app), id, { withDependants }) : [];
    const processes = removed.length === 0 ? [] : await askRunning(app, "sync");
    const notes = orphaned === undefined ? await notesOfAll(app, removed) : [orphaned];
    if (withNotes) { for (const { file } of notes) await removeNotes(file); }
    return { removed, processes, notes: notes.map((each) => ({ ...each, isKept: !withNotes })) };
  },
  render: ({ removed, processes, notes }) => {
    const plugins = removed.map(({ pluginId, version }) => `${pluginId} ${version}`);
    const gone = notes.filter(({ isKept }) => !isKept).map(({ pluginId }) => `the notes of ${pluginId}`);
    return [
      `Removed ${[...plugins, ...gone].join(", ")}`,
      ...processLines(processes, removed.map(({ pluginId }) => pluginId)),
      ...notes.filter(({ isKept }) => isKept).map(({ pluginId, file }) =>
        escapeLines(`Its notes stay in ${file}; \`axiom plugin unload --notes ${pluginId}\` takes them away`)
      ),
    ].join("\n");
  },
  json: ({ removed, processes, notes }) => ({
    removed: removed.map(({ pluginId, version, sha256 }) => ({ plugin_id: pluginId, version, sha256 })),
    notes: notes.map(({ pluginId, file, isKept }) => ({ plugin_id: pluginId, path: file, removed: !isKept })),
    processes: processesJson(processes),
  }),
});

interface Notes {
  pluginId: string;
  file: string;
}

async function notesOfAll({ stateFolder }: App, plugins: readonly Pick<LockedPlugin, "pluginId">[]): Promise<Notes[]> {
  const notes: Notes[] = [];
  for (const { pluginId } of plugins) {
    const file = stateFolder === undefined ? undefined : await notesOf(stateFolder, pluginId);
    if (file !== undefined) notes.push({ pluginId, file });
  }
  return notes;
}

/** Of a plugin that is not installed. */
async function notesWithout(app: App, id: string): Promise<Notes | undefined> {
  const isInstalled = (await pluginFolderOf(app).list()).some(({ pluginId }) => pluginId === id);
  return isInstalled ? undefined : (await notesOfAll(app, [{ pluginId: id }]))[0];
}
