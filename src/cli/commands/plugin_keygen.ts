import { displayName } from "../../base/names.ts";
import { generateKey } from "../../plugins/minisign.ts";
import { keyName, publicKeyText } from "../../plugins/minisign_format.ts";
import { writeKeyPair } from "../../plugins/key_files.ts";
import { defineCommand } from "../command.ts";
import { jsonName } from "../json.ts";

export const pluginKeygen = defineCommand({
  name: "plugin keygen",
  summary: "Make a pair of keys that signs plugins",
  usage: "axiom plugin keygen <name>",
  details:
    "Writes <name>.key, which you keep, and <name>.pub, which you give to others. They are files of minisign. No password " +
    "protects the secret one, so keep it where nobody else can read it.",
  arguments: [{ name: "name", description: "Path of both files without their endings", completes: "file" }],
  flags: [],
  examples: [
    { command: "axiom plugin keygen ~/.axiom-author", does: "Make .axiom-author.key and .axiom-author.pub" },
    { command: "minisign -G -W -s author.key -p author.pub", does: "The same with minisign" },
  ],
  parse: (_values, [name]) => ({ name }),
  run: async ({ name }, { app: open }) => {
    const { random } = await open();
    const key = await generateKey(random);
    return { key, ...await writeKeyPair(name, key) };
  },
  render: ({ key, secretPath, publicPath }) =>
    `Made the key ${keyName(key.keyId)}\n` +
    `Secret, signs plugins:        ${displayName(secretPath)}\n` +
    `Public, for those who trust:  ${displayName(publicPath)}\n` +
    `Whoever trusts it for all plugins adds to the configuration\n` +
    `  plugins: { trusted_keys: ["*=${publicKeyText(key)}"] }`,
  json: ({ key, secretPath, publicPath }) => ({
    key_id: keyName(key.keyId),
    public_key: publicKeyText(key),
    secret_key_file: jsonName(secretPath),
    public_key_file: jsonName(publicPath),
  }),
});
