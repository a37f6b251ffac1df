import { join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import type { HostServices } from "../capability_service.ts";
import { kvService } from "./kv_service.ts";

export interface ServiceSettings {
  /** Where plugins keep notes; undefined where the machine has no place for them. */
  readonly stateFolder: string | undefined;
  readonly clock: Clock;
}

/** Everything that plugins can be granted of this process. */
export function hostServices({ stateFolder, clock }: ServiceSettings): HostServices {
  return {
    open(name, { pluginId }) {
      switch (name) {
        case "kv":
          return stateFolder === undefined ? undefined : kvService(notesOf(stateFolder, pluginId), clock);
        default:
          return undefined;
      }
    },
  };
}

function notesOf(stateFolder: string, pluginId: string): string {
  return join(stateFolder, "plugins", `${pluginId}.notes`);
}
