import type { FlagSetting } from "../../config/load.ts";
import { addSlot } from "../../repository/key_slots.ts";
import { defineCommand } from "../command.ts";
import { flagSettings } from "../flag_settings.ts";
import { NEW_SECRET_FLAGS, newSlot, type NewSlotChoice, newSlotChoice } from "../key_flags.ts";

export const keyAdd = defineCommand({
  name: "key add",
  summary: "Let a further password or key file open the repository",
  usage: "axiom key add [--label <text>] [--new-password-file <file> | --new-key-file <file>]",
  arguments: [],
  flags: NEW_SECRET_FLAGS,
  examples: [
    { command: "axiom key add --label ann", does: "Add a password, which is asked twice" },
    {
      command: "head -c 64 /dev/urandom > /root/key && axiom key add --new-key-file /root/key",
      does: "Add a key file; repository.key_file in the configuration then opens with it",
    },
  ],
  acts: true,
  parse: (values) => ({ settings: flagSettings(NEW_SECRET_FLAGS, values), choice: newSlotChoice(values) }),
  run: async ({ settings, choice }: { settings: FlagSetting[]; choice: NewSlotChoice }, { app: open }) => {
    const app = await open(settings);
    const { store, opened } = await app.openRepository("write");
    const { clock, random, signal } = app;
    const id = await addSlot(store, opened, { ...await newSlot(app, choice), clock, random, signal });
    return { id, label: choice.label ?? "" };
  },
  render: ({ id }) => `Added the key slot ${id.slice(0, 8)}`,
  json: ({ id, label }) => ({ id, label }),
});
