import { displayName } from "../../base/names.ts";
import { admit } from "../../plugins/admission.ts";
import { readPublicKey } from "../../plugins/key_files.ts";
import { publicKeyText } from "../../plugins/minisign_format.ts";
import { absolute } from "../../operations/source_list.ts";
import { readSignedPlugin } from "../../plugins/signed_file.ts";
import { judge } from "../../plugins/trust.ts";
import { defineCommand } from "../command.ts";
import { PLUGIN_FILE, SIGNATURE_FLAG } from "../plugin_load.ts";
import { signerName } from "../plugin_place.ts";

const FLAGS = [
  {
    long: "key",
    type: "file",
    description: "Public key that must have signed it, a file or RW…; otherwise one of plugins.trusted_keys",
  },
  ...SIGNATURE_FLAG,
] as const;

export const pluginVerify = defineCommand({
  name: "plugin verify",
  summary: "Check the signature of a plugin that is not installed",
  usage: "axiom plugin verify [--key <file>] [--signature <file>] <file>",
  details:
    "The signature must be of these bytes, and state this id and version. Ends with 14 if it is not, whatever the policy.",
  arguments: [PLUGIN_FILE],
  flags: FLAGS,
  examples: [
    { command: "axiom plugin verify compression_lz4.wasm", does: "Check it against the keys that are trusted" },
    { command: "axiom plugin verify --key author.pub compression_lz4.wasm", does: "Check it against one key" },
  ],
  parse: (values, [path]) => ({ path, key: values.key, signaturePath: values.signature }),
  run: async ({ path, key, signaturePath }, { app: open }) => {
    const { config: { plugins: trust }, folder } = await open();
    const trustedKeys = key === undefined
      ? trust.trustedKeys
      : [{ prefix: "", key: publicKeyText(await readPublicKey(key)) }];
    const file = await readSignedPlugin(absolute(path, folder), signaturePath && absolute(signaturePath, folder));
    const { manifest: { pluginId, version } } = admit(file.bytes, { name: file.name });
    const verdict = await judge({ ...file, pluginId, version }, { ...trust, policy: "require", trustedKeys });
    return { pluginId, version, sha256: file.sha256, ...verdict };
  },
  render: ({ pluginId, version, sha256, signer, trustedComment }) =>
    `${pluginId} ${version} is signed with the key ${signerName(signer ?? null)}\n` +
    `sha256:   ${sha256}\ncomment:  ${displayName(trustedComment ?? "")}`,
  json: ({ pluginId, version, sha256, signer, trustedComment }) => ({
    plugin_id: pluginId,
    version,
    sha256,
    key_id: signerName(signer ?? null),
    trusted_comment: trustedComment ?? null,
  }),
});
