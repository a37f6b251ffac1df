/** What a plugin is built from, told apart by size, time and inode. */
import { join } from "node:path";
import ignore from "ignore";
import { AxiomError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";

/** By path: what changes with its content. */
export type Sources = ReadonlyMap<string, string>;

/** These files, as far as they are there. */
export async function namedSources(paths: readonly string[]): Promise<Sources> {
  const sources = new Map<string, string>();
  for (const path of paths) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info !== undefined) sources.set(path, `${info.size} ${info.mtime?.getTime()} ${info.ino}`);
  }
  return sources;
}

/**
 * All files below `folder` but hidden ones, those that its `.gitignore` names, what packages brought along, and what is made.
 * Throws `usage` for more than `LIMITS.pluginSourcesMax`.
 */
export async function sourcesBelow(folder: string, made: string): Promise<Sources> {
  const rules = ignore().add(await Deno.readTextFile(join(folder, ".gitignore")).catch(() => ""));
  const paths: string[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const { name, isDirectory } of await entriesOf(join(folder, below), below === "")) {
      const path = below === "" ? name : `${below}/${name}`;
      if (name.startsWith(".") || name === "node_modules" || rules.ignores(isDirectory ? `${path}/` : path)) continue;
      if (isDirectory) await visit(path);
      else if (join(folder, path) !== made) paths.push(join(folder, path));
      if (paths.length > LIMITS.pluginSourcesMax) throw tooMany(folder);
    }
  };
  await visit("");
  return await namedSources(paths);
}

/** What goes while it is looked at is gone; the folder itself must be there. */
async function entriesOf(path: string, mustBe: boolean): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(path));
  } catch (error) {
    if (!mustBe && error instanceof Deno.errors.NotFound) return [];
    throw new AxiomError("path_missing", `Cannot watch the folder ${displayName(path)}: ${messageOf(error)}`, {
      hint: "Name a module in the folder of its sources, or their manifest with --manifest",
      cause: error,
    });
  }
}

/** One that is other than before, new or gone. */
export function changedSource(before: Sources, now: Sources): string | undefined {
  const paths = [...now.keys(), ...before.keys()];
  return paths.find((path) => before.get(path) !== now.get(path));
}

function tooMany(folder: string): AxiomError {
  const why = `there are more than ${LIMITS.pluginSourcesMax} files`;
  return new AxiomError("usage", `Cannot watch the folder ${displayName(folder)}: ${why}`, {
    hint: "Give the plugin a folder of its own, or name in its .gitignore what is no source",
  });
}
