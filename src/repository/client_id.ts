import { utf8 } from "../base/bytes.ts";
import { messageOf } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { type Random, randomId } from "../base/random.ts";
import type { StateFiles } from "../platform/state_files.ts";

const NAME = "client_id";

/**
 * 32 random hexadecimal digits that this machine keeps, so that two of one host name, such as containers, are told apart.
 * Where it cannot be kept, the run has one of its own, and a warning says so.
 *
 * @param state Undefined where the machine has no place for it
 */
export async function clientId(state: StateFiles | undefined, random: Random, onEvent: EventSink): Promise<string> {
  const id = randomId(random);
  try {
    if (state === undefined) throw new Error("neither XDG_STATE_HOME nor HOME is set");
    const known = await state.read(NAME);
    const text = known === undefined ? "" : new TextDecoder().decode(known).trim();
    if (/^[0-9a-f]{32}$/.test(text)) return text;
    await state.write(NAME, utf8(`${id}\n`));
  } catch (error) {
    const message = `Cannot keep this machine's id: ${messageOf(error)}; a random one is used for this run`;
    onEvent({ type: "warning", code: "client_id", message });
  }
  return id;
}
