import { throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { isMissing } from "./file_errors.ts";
import type { FileInfo } from "./file_ops.ts";
import type { LocalPlace } from "./local_place.ts";
import { isKey, isKeyPart, TEMPORARY } from "./object_key.ts";
import type { ObjectInfo } from "./object_store.ts";

/**
 * Objects below `prefix`, folder by folder. What is removed meanwhile may be missing; it is no error. Symbolic links are
 * followed, as a read follows them.
 *
 * @param onForeign Gets the relative path of what is not an object
 */
export async function* listFolder(
  place: LocalPlace,
  prefix: string,
  onForeign: (path: string) => void,
  signal: AbortSignal | undefined,
): AsyncGenerator<ObjectInfo, void, void> {
  const folders = [prefix];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    throwIfAborted(signal);
    const names = await namesIn(place, folder);
    for (let at = 0; at < names.length; at += LIMITS.storeListParallel) {
      throwIfAborted(signal);
      const paths: string[] = [];
      for (const name of names.slice(at, at + LIMITS.storeListParallel)) {
        if (folder === "" && name === TEMPORARY) continue;
        if (isKeyPart(name) && isKey(folder + name)) paths.push(folder + name);
        else onForeign(folder + name);
      }
      const infos = await place.attempt(`list ${folder}`, () => lookAt(place, paths));
      for (const [i, info] of infos.entries()) {
        if (info?.type === "file") yield { key: paths[i], sizeBytes: info.sizeBytes };
        else if (info?.type === "folder") folders.push(`${paths[i]}/`);
        else if (info) onForeign(paths[i]);
      }
    }
  }
}

function lookAt(place: LocalPlace, paths: string[]): Promise<(FileInfo | undefined)[]> {
  return Promise.all(paths.map((path) => place.look(place.pathOf(path))));
}

/** @param folder Ends in `/`, or is empty */
function namesIn(place: LocalPlace, folder: string): Promise<string[]> {
  return place.attempt(`list ${folder === "" ? place.location : folder}`, async () => {
    try {
      return await place.ops.readNames(place.pathOf(folder));
    } catch (error) {
      if (!isMissing(error)) throw error;
      await place.checkRoot();
      return [];
    }
  });
}
