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

export const pluginLoad = defineCommand({
  name: "plugin load",
  summary: "Install a plugin",
  usage: "axiom plugin load [--signature <file>] <file>",
  details:
    "Nothing of it runs before its bytes, its manifest and its signature were checked. It may do nothing beyond its " +
    "own memory until you grant what it asks for. plugins.policy of the configuration says whether it must be signed. " +
    "A codec or cipher is tried first. Running processes of yours can use it at once.",
  arguments: [PLUGIN_FILE],
  flags: SIGNATURE_FLAG,
  examples: [
    {
      command: "axiom plugin load compression_lz4.wasm",
      does: "Install it, with compression_lz4.wasm.minisig if that is there",
    },
    {
      command: "AXIOM_CONFIG_PLUGINS_POLICY=require axiom plugin load x.wasm",
      does: "Only if a trusted key signed it",
    },
  ],
  parse: loadOptions,
  run: (options, context) => loadFrom(options, context, false),
  render: loadedText,
  json: loadedJson,
  exitCode: loadedCode,
});
