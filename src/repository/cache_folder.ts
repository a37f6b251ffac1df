import { AxiomError } from "../base/errors.ts";
import { isHexOf } from "../model/fields.ts";
import { folderFault } from "../platform/folder_fault.ts";

/** Tells other backup programs to leave the folder out. Source: bford.info/cachedir. */
export const CACHE_TAG_NAME = "CACHEDIR.TAG";
const SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55";
const TAG_TEXT = `${SIGNATURE}
# This folder is a cache of the backup program axiom. It can be deleted at any time; it is made again when it is needed.
# The catalogues in it hold the names of saved files in plain text, so only its owner may read it.
`;

const REPOSITORY_ID_BYTES = 16;
const PRIVATE_FOLDER = 0o700;
const CATALOGUE_NAME = "catalogue.sqlite";

export interface CachedRepository {
  repositoryId: string;
  sizeBytes: number;
  /** When it was last changed, in ms since 1970. */
  changedMs: number;
}

/** Makes the place of a repository's catalogue and returns its path. Fails as {@linkcode prepareCacheFolder} does. */
export async function prepareCatalogueFile(cache: string, repositoryId: string): Promise<string> {
  return `${await prepareCacheFolder(cache, repositoryId)}/${CATALOGUE_NAME}`;
}

/**
 * Makes the folder of what is cached of a repository, `<cache>/<repository id>`, and returns its path. Throws `Error` where that
 * is not possible.
 */
export async function prepareCacheFolder(cache: string, repositoryId: string): Promise<string> {
  if (!isHexOf(repositoryId, REPOSITORY_ID_BYTES)) throw new RangeError(`Not a repository id: ${repositoryId}`);
  const folder = `${cache}/${repositoryId}`;
  try {
    await Deno.mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (cause) {
    throw new Error(folderFault(folder, cause), { cause });
  }
  const tag = `${cache}/${CACHE_TAG_NAME}`;
  try {
    await Deno.writeTextFile(tag, TAG_TEXT, { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return folder;
    await Deno.remove(tag).catch(() => {}); // half a tag says nothing, and keeps a whole one out
    throw error;
  }
  return folder;
}

/** What is cached of which repository, the last changed first; nothing if there is no cache. */
export async function cacheList(cache: string): Promise<CachedRepository[]> {
  const found: CachedRepository[] = [];
  for (const name of await repositoryFolders(cache)) {
    const folder: CachedRepository = { repositoryId: name, sizeBytes: 0, changedMs: 0 };
    for await (const { name: file, isFile } of Deno.readDir(`${cache}/${name}`)) {
      if (!isFile) continue;
      const stat = await Deno.lstat(`${cache}/${name}/${file}`).catch(() => undefined);
      folder.sizeBytes += stat?.size ?? 0;
      folder.changedMs = Math.max(folder.changedMs, stat?.mtime?.getTime() ?? 0);
    }
    found.push(folder);
  }
  return found.sort((a, b) => b.changedMs - a.changedMs || (a.repositoryId < b.repositoryId ? -1 : 1));
}

/**
 * Removes what is cached of one repository, or of all, and nothing else that may lie there. Returns the removed
 * repositories. Throws `usage` if the folder does not say that it is a cache.
 */
export async function cacheClear(cache: string, repositoryId?: string): Promise<CachedRepository[]> {
  const cached = await cacheList(cache);
  const doomed = cached.filter((each) => repositoryId === undefined || each.repositoryId === repositoryId);
  if (doomed.length > 0) await demandTag(cache);
  for (const { repositoryId: name } of doomed) await Deno.remove(`${cache}/${name}`, { recursive: true });
  return doomed;
}

async function repositoryFolders(cache: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(cache)) {
      if (isDirectory && isHexOf(name, REPOSITORY_ID_BYTES)) names.push(name);
    }
    return names;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function demandTag(cache: string): Promise<void> {
  const text = await Deno.readTextFile(`${cache}/${CACHE_TAG_NAME}`).catch(() => "");
  if (text.startsWith(SIGNATURE)) return;
  throw new AxiomError("usage", `Cannot clear the cache ${cache}: it has no ${CACHE_TAG_NAME}, so it may be no cache`, {
    hint: "Check --cache-dir; remove the folder by hand if you are sure",
  });
}
