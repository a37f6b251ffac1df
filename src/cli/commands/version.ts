import { TOOL_VERSION } from "../../base/version.ts";
import { FORMAT_VERSION } from "../../model/repository_config.ts";
import { defineCommand } from "../command.ts";

export const version = defineCommand({
  name: "version",
  summary: "Show the version of this program and what it runs on",
  usage: "axiom version",
  arguments: [],
  flags: [],
  examples: [
    { command: "axiom version", does: "Show the versions for people" },
    { command: "axiom --version --json", does: "The same for programs" },
  ],
  parse: () => ({}),
  run: (_options, { environment }) =>
    Promise.resolve({ version: TOOL_VERSION, formatVersion: FORMAT_VERSION, ...environment.platform }),
  render: ({ version, formatVersion, deno, os, arch }) =>
    `axiom ${version} (repository format ${formatVersion}, Deno ${deno}, ${os} ${arch})`,
  json: ({ version, formatVersion, deno, os, arch }) => ({ version, format_version: formatVersion, deno, os, arch }),
});
