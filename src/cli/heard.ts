import { ERROR_KINDS } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";

export interface Heard {
  onEvent: EventSink;
  /** Of the worst failure that was told so far, 0 if there was none: a command that went on all the same ends with it. */
  readonly exitCode: number;
}

/** Damage is worse than anything else that a command can go on after. */
const DAMAGED = 13;

export function listen(inner: EventSink): Heard {
  let exitCode = 0;
  return {
    onEvent(event) {
      if (event.type === "error" && exitCode !== DAMAGED) exitCode = ERROR_KINDS[event.error.kind].exitCode;
      inner(event);
    },
    get exitCode() {
      return exitCode;
    },
  };
}
