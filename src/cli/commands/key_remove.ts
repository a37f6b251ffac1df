import { listSlots, removeSlot } from "../../repository/key_slots.ts";
import { defineCommand } from "../command.ts";
import { slotNamed } from "../slot_name.ts";

const FLAGS = [
  { long: "force", short: "f", type: "boolean", description: "Also the one that opens the repository right now" },
] as const;

export const keyRemove = defineCommand({
  name: "key remove",
  summary: "Take a password or key file away",
  usage: "axiom key remove [--force] <id>",
  details: "Whoever kept an old copy of the repository's keys folder can still open it with that password.",
  arguments: [{ name: "id", description: "Of the key slot, or the beginning of it" }],
  flags: FLAGS,
  examples: [
    { command: "axiom key remove 1a2b3c4d", does: "Take away what `axiom key list` shows by this id" },
    { command: "axiom -p old.txt key remove --force 1a2b3c4d", does: "Take away the password that opens it here" },
  ],
  acts: true,
  parse: (values, [id]) => ({ id, evenCurrent: values.force }),
  run: async ({ id: name, evenCurrent }, { app: open }) => {
    const app = await open();
    const { store, opened } = await app.openRepository("write");
    const id = slotNamed(name, await listSlots(store, opened, app.signal));
    await removeSlot(store, opened, id, { evenCurrent, signal: app.signal });
    return { id };
  },
  render: ({ id }) => `Removed the key slot ${id.slice(0, 8)}`,
  json: ({ id }) => ({ id }),
});
