import type { CommandTable } from "./command.ts";

const PROGRAM = "This program";

/** Every command. The imports are literal so that `deno compile` finds them, and dynamic so that only one is loaded. */
export const COMMANDS: CommandTable = [
  { name: "completion", group: PROGRAM, load: async () => (await import("./commands/completion.ts")).completion },
  { name: "version", group: PROGRAM, load: async () => (await import("./commands/version.ts")).version },
  { name: "help", group: PROGRAM, load: async () => (await import("./commands/help.ts")).help },
];
