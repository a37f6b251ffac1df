import { basename, dirname, join } from "node:path";
import { displayName } from "../../base/names.ts";
import { formatSize } from "../../base/sizes.ts";
import { absolute } from "../../operations/source_list.ts";
import { packPlugin } from "../../plugins/pack.ts";
import { readManifestFile, readModuleFile, SIDE_CAR } from "../../plugins/plugin_file.ts";
import { replaceModule } from "../../plugins/replace_module.ts";
import { defineCommand } from "../command.ts";
import { jsonName } from "../json.ts";

const FLAGS = [
  { long: "manifest", type: "file", placeholder: "file", description: "Instead of plugin.yaml beside the module" },
  {
    long: "output",
    short: "o",
    type: "file",
    placeholder: "file",
    description: "Instead of <plugin_id>.wasm beside it",
  },
] as const;

export const pluginPack = defineCommand({
  name: "plugin pack",
  summary: "Put the manifest into a WASM module and check the plugin",
  usage: "axiom plugin pack [--manifest <file>] [--output <file>] <file>",
  details:
    "The plugin is written only if it would be admitted: nothing of it is run. An older module under the name of the new " +
    "file is replaced, any other file is not.",
  arguments: [{ name: "file", description: "The .wasm file that a compiler made", completes: "file" }],
  flags: FLAGS,
  examples: [
    { command: "axiom plugin pack build/codec.wasm", does: "Make build/<plugin_id>.wasm with build/plugin.yaml" },
    { command: "axiom plugin pack --manifest plugin.yaml -o dist/lz4.wasm a.out.wasm", does: "Name both" },
  ],
  acts: true,
  parse: ({ manifest, output }, [file]) => ({ file, manifest, output }),
  run: async ({ file, manifest, output }, { app: open }) => {
    const { folder } = await open();
    const path = absolute(file, folder);
    const module = await readModuleFile(path);
    const yaml = await readManifestFile(
      manifest === undefined ? join(dirname(path), SIDE_CAR) : absolute(manifest, folder),
    );
    const { bytes, plugin } = packPlugin({ ...module, name: displayName(basename(path)) }, yaml);
    const target = output === undefined
      ? join(dirname(path), `${plugin.manifest.pluginId}.wasm`)
      : absolute(output, folder);
    await replaceModule(target, bytes);
    return { path: target, plugin, bytes: bytes.length };
  },
  render: ({ path, plugin: { manifest, sha256 }, bytes }) =>
    `Packed ${manifest.pluginId} ${manifest.version} into ${displayName(path)}: ${formatSize(bytes)}, sha256 ${sha256}`,
  json: ({ path, plugin: { manifest, sha256 }, bytes }) => ({
    plugin_id: manifest.pluginId,
    version: manifest.version,
    sha256,
    bytes,
    output: jsonName(path),
  }),
});
