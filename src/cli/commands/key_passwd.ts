import type { FlagSetting } from "../../config/load.ts";
import { changePassword, listSlots } from "../../repository/key_slots.ts";
import { defineCommand } from "../command.ts";
import { flagSettings } from "../flag_settings.ts";
import { NEW_SECRET_FLAGS, newSlot, type NewSlotChoice, newSlotChoice } from "../key_flags.ts";
import { slotNamed } from "../slot_name.ts";

interface PasswdOptions {
  settings: FlagSetting[];
  choice: NewSlotChoice;
  id: string | undefined;
}

export const keyPasswd = defineCommand({
  name: "key passwd",
  summary: "Change a password",
  usage: "axiom key passwd [--new-password-file <file>] [<id>]",
  details:
    "The old password stops to work once the new one was proved. Whoever kept an old copy of the repository's keys " +
    "folder can still open it with the old one.",
  arguments: [{
    name: "id",
    description: "Of the key slot, or the beginning of it; the one that opens the repository by default",
    optional: true,
  }],
  flags: NEW_SECRET_FLAGS,
  examples: [
    { command: "axiom key passwd", does: "Change the password; the new one is asked twice" },
    { command: "axiom -p old.txt key passwd --new-password-file new.txt", does: "The same without a terminal" },
  ],
  acts: true,
  parse: (values, [id]): PasswdOptions => ({
    settings: flagSettings(NEW_SECRET_FLAGS, values),
    choice: newSlotChoice(values),
    id,
  }),
  run: async ({ settings, choice, id }, { app: open }) => {
    const app = await open(settings);
    const { store, opened } = await app.openRepository("write");
    const { clock, random, signal } = app;
    const slotId = id === undefined ? opened.slotId : slotNamed(id, await listSlots(store, opened, signal));
    const slot = await newSlot(app, choice);
    const newId = await changePassword(store, opened, { ...slot, slotId, clock, random, signal });
    return { id: newId, replacedId: slotId };
  },
  render: ({ id, replacedId }) =>
    `Changed the password: the key slot ${replacedId.slice(0, 8)} is now ${id.slice(0, 8)}`,
  json: ({ id, replacedId }) => ({ id, replaced_id: replacedId }),
});
