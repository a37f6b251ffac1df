import { AxiomError } from "../base/errors.ts";
import type { SlotInfo } from "../repository/key_slots.ts";

/** The id of the one slot that `text` begins. Throws `usage` where it is none, or several. */
export function slotNamed(text: string, slots: readonly SlotInfo[]): string {
  const found = /^[0-9a-f]{1,32}$/.test(text) ? slots.filter(({ id }) => id.startsWith(text)) : [];
  if (found.length === 1) return found[0].id;
  const why = found.length === 0 ? "there is none whose id begins so" : `${found.length} ids begin so`;
  throw new AxiomError("usage", `Cannot tell which key slot "${text}" means: ${why}`, {
    hint: "`axiom key list` shows all",
  });
}
