import type { FlagSetting } from "../../config/load.ts";
import { defineCommand } from "../command.ts";
import { flagSettings } from "../flag_settings.ts";
import { KDF_BY_NAME } from "../kdf_names.ts";

const FLAGS = [
  {
    long: "kdf",
    type: "choice",
    choices: ["argon2id", "pbkdf2"],
    option: "init.kdf",
    description: "Function that makes a key from the password",
  },
  {
    long: "label",
    type: "text",
    option: "init.label",
    description: "Name of the first password, shown by `axiom key list`",
  },
] as const;

export const init = defineCommand({
  name: "init",
  summary: "Make a repository",
  usage: "axiom -r <location> init [--kdf argon2id|pbkdf2] [--label <text>]",
  details: "The place must be empty. Without the password nothing can ever be restored: keep a copy of it elsewhere.",
  arguments: [],
  flags: FLAGS,
  examples: [
    {
      command: "axiom -r /mnt/backup init",
      does: "Make a repository in an empty folder, with a password that is asked",
    },
    {
      command: "axiom -r /mnt/backup -p /root/password init --label root",
      does: "The same with the password from a file",
    },
  ],
  acts: true,
  parse: (values) => flagSettings(FLAGS, values),
  run: async (settings: FlagSetting[], { app: open }) => {
    const app = await open(settings);
    const { kdf, label } = app.config.init;
    const isKeyFile = app.config.repository.keyFile !== undefined;
    const repository = await app.createRepository({ kdf: isKeyFile ? undefined : KDF_BY_NAME[kdf], slotLabel: label });
    const { id, config, store } = repository;
    return { repositoryId: id, location: store.location, formatVersion: config.format_version };
  },
  render: ({ repositoryId, location }) =>
    `Made the repository ${repositoryId} in ${location}\n` +
    "Whoever loses the password loses the backups: keep a copy of it elsewhere.",
  json: ({ repositoryId, location, formatVersion }) => ({
    repository_id: repositoryId,
    location,
    format_version: formatVersion,
  }),
});
