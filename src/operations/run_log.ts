import type { Clock } from "../base/clock.ts";
import type { ErrorReport } from "../base/errors.ts";
import type { EventSink } from "../base/events.ts";
import { LIMITS } from "../base/limits.ts";

export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** Of errors and warnings that were told: the first ones of each, and how many there were. */
export class RunLog {
  readonly errors: ErrorReport[] = [];
  readonly warnings: Warning[] = [];
  errorCount = 0;
  warningCount = 0;
  readonly startedNs: string;
  readonly #startedMs: number;

  constructor(readonly clock: Clock) {
    this.startedNs = clock.nowNs();
    this.#startedMs = clock.monotonicMs();
  }

  get seconds(): number {
    return (this.clock.monotonicMs() - this.#startedMs) / 1000;
  }

  /** A sink that passes on what it notes. */
  listen(inner: EventSink): EventSink {
    return (event) => {
      if (event.type === "error" && this.errorCount++ < LIMITS.pluginContextItemsMax) this.errors.push(event.error);
      if (event.type === "warning" && this.warningCount++ < LIMITS.pluginContextItemsMax) {
        this.warnings.push({ code: event.code, message: event.message });
      }
      inner(event);
    };
  }
}
