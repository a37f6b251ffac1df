import type { GrantRequest } from "../plugins/grant_choice.ts";
import type { Flag, FlagValues } from "./command.ts";

/** Where a grant reaches. */
export const REACH_FLAGS = [
  {
    long: "host",
    type: "text",
    repeatable: true,
    placeholder: "host[:port]",
    description: "Where net.http may reach, for a plugin that leaves it to you",
  },
  { long: "private", type: "boolean", description: "These hosts may be in a private network, or this machine" },
  {
    long: "folder",
    type: "folder",
    repeatable: true,
    description: "What files may read, for a plugin that leaves it to you; absolute",
  },
] as const satisfies readonly Flag[];

export function reachOf(values: FlagValues<typeof REACH_FLAGS>): Omit<GrantRequest, "names"> {
  return { hosts: values.host, private: values.private, folders: values.folder };
}
