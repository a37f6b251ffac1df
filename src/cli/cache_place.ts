import { AxiomError } from "../base/errors.ts";
import { folderFault } from "../platform/folder_fault.ts";
import type { App } from "./app.ts";

/** Throws `usage` where there is to be none. */
export function cacheFolderOf(app: App): string {
  if (app.cacheFolder !== undefined) return app.cacheFolder;
  throw new AxiomError("usage", "Cannot look at the cache: none is in use", {
    hint: "Name its folder with --cache-dir <dir>",
  });
}

/** Runs `task` on the cache in `folder`; what the system refuses is `storage_failed`. */
export async function inCache<T>(folder: string, task: (folder: string) => Promise<T>): Promise<T> {
  try {
    return await task(folder);
  } catch (error) {
    if (error instanceof AxiomError) throw error;
    throw new AxiomError("storage_failed", `Cannot use the cache ${folder}: ${folderFault(folder, error)}`, {
      hint: "Name another folder with --cache-dir <dir>",
      cause: error,
    });
  }
}
