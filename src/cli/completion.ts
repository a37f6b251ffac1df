import { bashScript } from "./completion_bash.ts";
import { fishScript } from "./completion_fish.ts";
import { zshScript } from "./completion_zsh.ts";
import type { AnyCommand } from "./command.ts";

export const COMPLETION_SHELLS = ["bash", "zsh", "fish"] as const;
export type CompletionShell = (typeof COMPLETION_SHELLS)[number];

/** A script that completes `commands`, with all it needs inside: completing never starts the program. */
export function completionScript(shell: CompletionShell, commands: readonly AnyCommand[]): string {
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
  return scripts[shell](commands);
}
