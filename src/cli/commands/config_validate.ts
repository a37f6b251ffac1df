import { defineCommand } from "../command.ts";

export const configValidate = defineCommand({
  name: "config validate",
  summary: "Check the configuration with all of its profiles and the environment",
  usage: "axiom [-c <file>] config validate",
  arguments: [],
  flags: [],
  examples: [
    { command: "axiom config validate", does: "Check what would be used here" },
    { command: "axiom -c /etc/axiom.yaml config validate --json", does: "Check a file, for a program" },
  ],
  parse: () => ({}),
  run: async (_options, { app: open }) => {
    const { loaded: { files, profile } } = await open();
    return { files, profile };
  },
  render: ({ files, profile }) => {
    const what = files.length === 0 ? "There is no file, and the environment is right" : `${files.join(", ")}: right`;
    return profile === undefined ? what : `${what}, with the profile ${profile}`;
  },
  json: ({ files, profile }) => ({ valid: true, files, profile: profile ?? null }),
});
