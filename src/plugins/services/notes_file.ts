import { join } from "node:path";
import { AxiomError, messageOf } from "../../base/errors.ts";
import { PLUGIN_ID } from "../manifest_schema.ts";

/** Where a plugin keeps its notes. */
export function notesFile(stateFolder: string, pluginId: string): string {
  return join(stateFolder, "plugins", `${pluginId}.notes`);
}

const ID = new RegExp(PLUGIN_ID.pattern!);

/** Undefined where there are none, such as of what is no id. */
export async function notesOf(stateFolder: string, pluginId: string): Promise<string | undefined> {
  if (!ID.test(pluginId)) return undefined;
  const file = notesFile(stateFolder, pluginId);
  return await Deno.lstat(file).then(() => file, () => undefined);
}

/** Whoever has them open goes on with notes that nobody else sees. Throws `target_unwritable`. */
export async function removeNotes(file: string): Promise<void> {
  for (const path of [`${file}-journal`, file]) {
    try {
      await Deno.remove(path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) continue;
      throw new AxiomError("target_unwritable", `Cannot remove the notes ${file}: ${messageOf(error)}`, {
        hint: "Check who owns them",
        cause: error,
      });
    }
  }
}
