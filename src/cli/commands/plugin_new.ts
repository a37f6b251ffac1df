import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AxiomError, messageOf } from "../../base/errors.ts";
import { displayName } from "../../base/names.ts";
import { absolute } from "../../operations/source_list.ts";
import { LANGUAGES, languagesFor, newProject } from "../../plugins/kit.ts";
import { CATEGORIES, PLUGIN_ID } from "../../plugins/manifest_schema.ts";
import { defineCommand } from "../command.ts";
import { jsonName } from "../json.ts";

const FLAGS = [
  { long: "lang", type: "choice", choices: LANGUAGES, description: "Language that you write it in" },
  { long: "category", type: "choice", choices: CATEGORIES, description: "Which step it takes" },
] as const;

export const pluginNew = defineCommand({
  name: "plugin new",
  summary: "Begin a plugin: a folder with sources that build, and the manifest",
  usage: "axiom plugin new --lang <language> --category <category> <folder>",
  details:
    "The folder's name becomes the id of the plugin. What is written is a plugin that does the least of what its category " +
    "must and keeps every rule; its README names the command that builds it. A folder that is there already is left alone.",
  arguments: [{ name: "folder", description: "To be made; its name is an id such as my_filter", completes: "folder" }],
  flags: FLAGS,
  examples: [
    {
      command: "axiom plugin new --lang rust --category filter my_filter",
      does: "Make my_filter/ with a filter in Rust",
    },
    { command: "axiom plugin new --lang zig --category compression codecs/fast", does: "Make codecs/fast/" },
  ],
  acts: true,
  parse: ({ lang, category }, [folder]) => {
    const missing = lang === undefined ? "--lang" : "--category";
    if (lang === undefined || category === undefined) {
      throw new AxiomError("usage", `Cannot begin a plugin: ${missing} is missing`, {
        hint: `axiom plugin new --lang ${lang ?? "rust"} --category ${category ?? "filter"} ${displayName(folder)}`,
      });
    }
    const languages = languagesFor(category);
    if (!languages.includes(lang)) {
      throw new AxiomError("usage", `Cannot begin a plugin for ${category} in ${lang}: there is no library to trust`, {
        hint: `Choose --lang ${languages.join(" or --lang ")}`,
      });
    }
    const pluginId = basename(folder);
    if (!new RegExp(PLUGIN_ID.pattern!).test(pluginId)) {
      throw new AxiomError("usage", `Cannot begin a plugin: "${displayName(pluginId)}" is no id`, {
        hint: `Choose ${PLUGIN_ID.patternErrorMessage}`,
      });
    }
    return { lang, category, pluginId, folder };
  },
  run: async ({ lang, category, pluginId, folder }, { app: open }) => {
    const path = absolute(folder, (await open()).folder);
    const project = newProject(lang, category, pluginId);
    await write(path, project.files);
    return { path, pluginId, ...project };
  },
  render: ({ path, needs, commands }) =>
    `Made ${displayName(path)}, which needs ${needs}. There, run\n${commands.map((line) => `  ${line}`).join("\n")}`,
  json: ({ path, pluginId, files, commands }) => ({
    plugin_id: pluginId,
    folder: jsonName(path),
    files: Object.keys(files),
    commands,
  }),
});

async function write(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  try {
    await mkdir(dirname(folder), { recursive: true });
    await mkdir(folder);
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text, { flag: "wx" });
    }
  } catch (error) {
    const isThere = (error as { code?: unknown }).code === "EEXIST";
    const why = isThere ? "it exists already" : messageOf(error);
    throw new AxiomError("target_unwritable", `Cannot make ${displayName(folder)}: ${why}`, {
      hint: "Name a folder that does not exist yet",
      cause: error,
    });
  }
}
