import { defineCommand } from "../command.ts";
import { COMPLETION_SHELLS, completionScript, type CompletionShell } from "../completion.ts";

export const completion = defineCommand({
  name: "completion",
  summary: "Print a script that lets a shell complete commands, flags and their values",
  usage: "axiom completion bash|zsh|fish",
  details: "The script knows the commands of this version: make it again after an update.",
  arguments: [{ name: "shell", description: "Shell that reads the script", choices: COMPLETION_SHELLS }],
  flags: [],
  examples: [
    { command: "source <(axiom completion bash)", does: "Complete in this bash" },
    {
      command: "axiom completion zsh > ~/.zfunc/_axiom",
      does: "Complete in every zsh whose fpath holds ~/.zfunc",
    },
    {
      command: "axiom completion fish > ~/.config/fish/completions/axiom.fish",
      does: "Complete in every fish",
    },
  ],
  parse: (_values, [shell]) => shell as CompletionShell,
  run: async (shell, { commands }) => {
    const loaded = await Promise.all(commands.map((entry) => entry.load()));
    return { shell, script: completionScript(shell, loaded) };
  },
  render: ({ script }) => script.trimEnd(),
  json: (result) => result,
});
