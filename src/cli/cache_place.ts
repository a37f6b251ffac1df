import { AxiomError } from "../base/errors.ts";
import type { App } from "./app.ts";

/** Throws `usage` where there is to be none. */
export function cacheFolderOf(app: App): string {
  if (app.cacheFolder !== undefined) return app.cacheFolder;
  throw new AxiomError("usage", "Cannot look at the cache: none is in use", {
    hint: "Name its folder with --cache-dir <dir>",
  });
}
