import type { CommandTable } from "./command.ts";

const REPOSITORY = "Repository";
const SNAPSHOTS = "Snapshots";
const PROGRAM = "This program";

/** Every command. The imports are literal so that `deno compile` finds them, and dynamic so that only one is loaded. */
export const COMMANDS: CommandTable = [
  { name: "init", group: REPOSITORY, load: async () => (await import("./commands/init.ts")).init },
  { name: "backup", group: SNAPSHOTS, load: async () => (await import("./commands/backup.ts")).backup },
  { name: "restore", group: SNAPSHOTS, load: async () => (await import("./commands/restore.ts")).restore },
  { name: "snapshots", group: SNAPSHOTS, load: async () => (await import("./commands/snapshots.ts")).snapshots },
  { name: "completion", group: PROGRAM, load: async () => (await import("./commands/completion.ts")).completion },
  { name: "version", group: PROGRAM, load: async () => (await import("./commands/version.ts")).version },
  { name: "help", group: PROGRAM, load: async () => (await import("./commands/help.ts")).help },
];
