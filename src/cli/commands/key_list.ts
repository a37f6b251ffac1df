import { formatLocalTime } from "../../base/times.ts";
import { describeKdf } from "../../model/kdf_parameters.ts";
import { listSlots } from "../../repository/key_slots.ts";
import { defineCommand } from "../command.ts";
import { jsonTime } from "../json.ts";
import { renderTable } from "../table.ts";

export const keyList = defineCommand({
  name: "key list",
  summary: "List the passwords and key files that open the repository",
  usage: "axiom key list",
  arguments: [],
  flags: [],
  examples: [
    { command: "axiom key list", does: "List all; * is the one that opened the repository just now" },
    { command: "axiom key list --json", does: "The same for programs" },
  ],
  parse: () => ({}),
  run: async (_options, { app: open }) => {
    const app = await open();
    const { store, opened } = await app.openRepository("look");
    return await listSlots(store, opened, app.signal);
  },
  render: (slots, { columns }) =>
    renderTable(
      [{ title: "" }, { title: "Id" }, { title: "Label", shrinks: true }, { title: "Made" }, { title: "Opened by" }],
      slots.map(({ id, current, kdf, label, created, problem }) => [
        current ? "*" : "",
        id.slice(0, 8),
        label ?? "",
        created === undefined ? "" : formatLocalTime(created),
        problem === undefined ? kdf === undefined ? "" : describeKdf(kdf) : `nothing: ${problem}`,
      ]),
      columns,
    ),
  json: (slots) =>
    slots.map(({ id, current, kdf, label, created, problem }) => ({
      id,
      current,
      label: label ?? null,
      created: created === undefined ? null : jsonTime(created),
      kdf: kdf ?? null,
      problem: problem ?? null,
    })),
  exitCode: (slots) => slots.some(({ problem }) => problem !== undefined) ? 13 : 0,
});
