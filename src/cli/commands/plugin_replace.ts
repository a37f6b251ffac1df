import { defineCommand } from "../command.ts";
import {
  loadedCode,
  loadedJson,
  loadedText,
  loadFrom,
  loadOptions,
  PLUGIN_FILE,
  SIGNATURE_FLAG,
} from "../plugin_load.ts";

export const pluginReplace = defineCommand({
  name: "plugin replace",
  summary: "Put another version in the place of an installed plugin",
  usage: "axiom plugin replace [--signature <file>] <file>",
  details:
    "What you granted stays if the same trusted key signed both versions, and the new one waits if it asks for more. " +
    "The version before is kept for `axiom plugin rollback`. Running processes take the new one with their next frame; " +
    "ends with 14 if one of them cannot, and goes on with the old one.",
  arguments: [PLUGIN_FILE],
  flags: SIGNATURE_FLAG,
  examples: [
    { command: "axiom plugin replace compression_lz4.wasm", does: "Install this version of it" },
    { command: "axiom plugin rollback compression_lz4", does: "Bring the version before back" },
  ],
  parse: loadOptions,
  run: (options, context) => loadFrom(options, context, true),
  render: loadedText,
  json: loadedJson,
  exitCode: loadedCode,
});
