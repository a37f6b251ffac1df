import { typedName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import { formatLocalTime } from "../../base/times.ts";
import { pathHistory } from "../../operations/history.ts";
import { absolute } from "../../operations/source_list.ts";
import { defineCommand } from "../command.ts";
import { modeText } from "../entry_text.ts";
import { listen } from "../heard.ts";
import { jsonTime } from "../json.ts";
import { SNAPSHOT_FLAGS, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";
import { renderTable } from "../table.ts";

export const history = defineCommand({
  name: "history",
  summary: "List the versions of a file or folder in all snapshots",
  usage: "axiom history <path>",
  arguments: [{ name: "path", description: "As it was saved; a relative one starts in the current folder" }],
  flags: SNAPSHOT_FLAGS,
  examples: [
    { command: "axiom history /etc/fstab", does: "Show when a file changed, and which snapshots have which version" },
    { command: "axiom history --json report.odt", does: "The same of a file in the current folder, as JSON" },
  ],
  parse: (values, [path]) => ({ path, choice: snapshotChoice(values) }),
  run: async ({ path, choice }, { app: open }) => {
    const app = await open();
    const repository = await app.openRepository("look");
    const heard = listen(app.events);
    const filter = snapshotFilter(choice, app.folder);
    const options = { path: absolute(typedName(path), app.folder), filter, cache: app.cacheFolder };
    const versions = await pathHistory(repository, options, { onEvent: heard.onEvent, signal: app.signal });
    return { versions, exitCode: heard.exitCode };
  },
  render: ({ versions }, { columns }) => {
    if (versions.length === 0) return "No snapshot has it";
    return renderTable(
      [
        { title: "Changed" },
        { title: "Mode" },
        { title: "Size", align: "right" },
        { title: "First in" },
        { title: "Last in" },
        { title: "Snapshots", align: "right" },
      ],
      versions.map(({ type, mode, sizeBytes, mtimeNs, firstId, lastId, snapshotIds }) => [
        formatLocalTime(mtimeNs),
        modeText(type, mode),
        sizeBytes === undefined ? "" : formatSize(sizeBytes),
        firstId.slice(0, 8),
        lastId.slice(0, 8),
        String(snapshotIds.length),
      ]),
      columns,
    );
  },
  json: ({ versions }) =>
    versions.map(({ type, mode, sizeBytes, mtimeNs, firstId, lastId, snapshotIds }) => ({
      type,
      mode,
      size: sizeBytes ?? null,
      mtime: jsonTime(mtimeNs),
      first_id: firstId,
      last_id: lastId,
      snapshot_ids: snapshotIds,
    })),
  exitCode: ({ exitCode }) => exitCode,
});
