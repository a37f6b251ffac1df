import { AxiomError } from "../../base/errors.ts";
import { displayName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import { cacheClear as clearCache } from "../../repository/cache_folder.ts";
import { cacheFolderOf, inCache } from "../cache_place.ts";
import { defineCommand } from "../command.ts";
import { jsonName } from "../json.ts";

export const cacheClear = defineCommand({
  name: "cache clear",
  summary: "Remove what is cached; it is made again when it is needed",
  usage: "axiom cache clear [<repository id>]",
  arguments: [{ name: "repository id", description: "Only of this repository; all by default", optional: true }],
  flags: [],
  examples: [
    { command: "axiom cache clear", does: "Remove all" },
    { command: "axiom cache clear 0123456789abcdef0123456789abcdef", does: "Remove what is cached of one repository" },
  ],
  acts: true,
  parse: (_values, [id]: readonly (string | undefined)[]) => {
    if (id !== undefined && !/^[0-9a-f]{32}$/.test(id)) {
      throw new AxiomError("usage", `Cannot clear the cache of "${displayName(id)}": that is no id of a repository`, {
        hint: "`axiom cache list` shows them",
      });
    }
    return { id };
  },
  run: async ({ id }, { app: open }) => {
    const folder = cacheFolderOf(await open());
    const removed = await inCache(folder, () => clearCache(folder, id));
    return { folder, removed };
  },
  render: ({ folder, removed }) => {
    const size = removed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return removed.length === 0
      ? `Nothing to remove in ${displayName(folder)}`
      : `Removed ${formatSize(size)} that was cached of ${removed.map(({ repositoryId }) => repositoryId).join(", ")}`;
  },
  json: ({ folder, removed }) => ({
    folder: jsonName(folder),
    removed: removed.map(({ repositoryId, sizeBytes }) => ({ repository_id: repositoryId, size: sizeBytes })),
  }),
});
