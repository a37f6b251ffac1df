import { AxiomError } from "../../base/errors.ts";
import { displayName } from "../../base/names.ts";
import { admit } from "../../plugins/admission.ts";
import { readSecretKey, writeSignature } from "../../plugins/key_files.ts";
import { sign } from "../../plugins/minisign.ts";
import { keyName } from "../../plugins/minisign_format.ts";
import { absolute } from "../../operations/source_list.ts";
import { readModuleFile } from "../../plugins/plugin_file.ts";
import { sha256Of } from "../../plugins/plugin_folder.ts";
import { signedStatement } from "../../plugins/trust.ts";
import { defineCommand } from "../command.ts";
import { jsonName } from "../json.ts";
import { PLUGIN_FILE } from "../plugin_load.ts";

const FLAGS = [
  { long: "secret-key", short: "s", type: "file", description: "Of `axiom plugin keygen` or `minisign -G -W`" },
] as const;

export const pluginSign = defineCommand({
  name: "plugin sign",
  summary: "Sign a plugin",
  usage: "axiom plugin sign --secret-key <file> <file>",
  details:
    "Writes the signature of minisign to the file of that name with .minisig at its end. It states the plugin's id, its " +
    "version and its hash, and replaces an older one.",
  arguments: [PLUGIN_FILE],
  flags: FLAGS,
  examples: [
    { command: "axiom plugin sign --secret-key author.key my_filter.wasm", does: "Write my_filter.wasm.minisig" },
    { command: "minisign -V -p author.pub -m my_filter.wasm", does: "Check it with minisign" },
  ],
  parse: (values, [path]) => {
    const secretKey = values["secret-key"];
    if (secretKey === undefined) {
      throw new AxiomError("usage", "Cannot run plugin sign: --secret-key is missing", {
        hint: "Name your key, as in `axiom plugin sign --secret-key author.key my_filter.wasm`",
      });
    }
    return { path, secretKey };
  },
  run: async ({ path, secretKey }, { app: open }) => {
    const { folder } = await open();
    const key = await readSecretKey(absolute(secretKey, folder));
    const { name, data: bytes } = await readModuleFile(absolute(path, folder));
    const sha256 = sha256Of(bytes);
    const { manifest: { pluginId, version } } = admit(bytes, { name });
    const signature = await sign(bytes, key, signedStatement({ pluginId, version, sha256 }));
    return { pluginId, version, sha256, key, signaturePath: await writeSignature(absolute(path, folder), signature) };
  },
  render: ({ pluginId, version, key, signaturePath }) =>
    `Signed ${pluginId} ${version} with the key ${keyName(key.keyId)}: ${displayName(signaturePath)}`,
  json: ({ pluginId, version, sha256, key, signaturePath }) => ({
    plugin_id: pluginId,
    version,
    sha256,
    key_id: keyName(key.keyId),
    signature_file: jsonName(signaturePath),
  }),
});
