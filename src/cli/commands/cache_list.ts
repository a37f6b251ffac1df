import { displayName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import { formatLocalTime } from "../../base/times.ts";
import { cacheList as listCache } from "../../repository/cache_folder.ts";
import { cacheFolderOf, inCache } from "../cache_place.ts";
import { defineCommand } from "../command.ts";
import { jsonName, jsonTime } from "../json.ts";
import { renderTable } from "../table.ts";

const nanoseconds = (ms: number) => (BigInt(Math.round(ms)) * 1_000_000n).toString();

export const cacheList = defineCommand({
  name: "cache list",
  summary: "List what is cached of which repository",
  usage: "axiom cache list",
  arguments: [],
  flags: [],
  examples: [
    { command: "axiom cache list", does: "List all" },
    { command: "axiom cache list --cache-dir /var/cache/axiom --json", does: "The same of another folder, as JSON" },
  ],
  parse: () => ({}),
  run: async (_options, { app: open }) => {
    const folder = cacheFolderOf(await open());
    return { folder, cached: await inCache(folder, listCache) };
  },
  render: ({ folder, cached }) => {
    if (cached.length === 0) return `Nothing is cached in ${displayName(folder)}`;
    return renderTable(
      [{ title: "Repository" }, { title: "Changed" }, { title: "Size", align: "right" }],
      cached.map(({ repositoryId, sizeBytes, changedMs }) => [
        repositoryId,
        formatLocalTime(nanoseconds(changedMs)),
        formatSize(sizeBytes),
      ]),
    );
  },
  json: ({ folder, cached }) => ({
    folder: jsonName(folder),
    repositories: cached.map(({ repositoryId, sizeBytes, changedMs }) => ({
      repository_id: repositoryId,
      size: sizeBytes,
      changed: jsonTime(nanoseconds(changedMs)),
    })),
  }),
});
