import type { CommandTable } from "./command.ts";

const SNAPSHOTS = "Snapshots";
const REPOSITORY = "Repository";
const PLUGINS = "Plugins";
const MACHINE = "This machine";
const PROGRAM = "This program";

/** Every command. The imports are literal so that `deno compile` finds them, and dynamic so that only one is loaded. */
export const COMMANDS: CommandTable = [
  { name: "backup", group: SNAPSHOTS, load: async () => (await import("./commands/backup.ts")).backup },
  { name: "restore", group: SNAPSHOTS, load: async () => (await import("./commands/restore.ts")).restore },
  { name: "snapshots", group: SNAPSHOTS, load: async () => (await import("./commands/snapshots.ts")).snapshots },
  { name: "ls", group: SNAPSHOTS, load: async () => (await import("./commands/ls.ts")).ls },
  { name: "find", group: SNAPSHOTS, load: async () => (await import("./commands/find.ts")).find },
  { name: "history", group: SNAPSHOTS, load: async () => (await import("./commands/history.ts")).history },
  { name: "diff", group: SNAPSHOTS, load: async () => (await import("./commands/diff.ts")).diff },
  { name: "dump", group: SNAPSHOTS, load: async () => (await import("./commands/dump.ts")).dump },
  { name: "stats", group: SNAPSHOTS, load: async () => (await import("./commands/stats.ts")).stats },
  { name: "tag", group: SNAPSHOTS, load: async () => (await import("./commands/tag.ts")).tag },
  { name: "init", group: REPOSITORY, load: async () => (await import("./commands/init.ts")).init },
  { name: "check", group: REPOSITORY, load: async () => (await import("./commands/check.ts")).check },
  {
    name: "repair index",
    group: REPOSITORY,
    load: async () => (await import("./commands/repair_index.ts")).repairIndex,
  },
  {
    name: "repair snapshots",
    group: REPOSITORY,
    load: async () => (await import("./commands/repair_snapshots.ts")).repairSnapshots,
  },
  {
    name: "repair decoders",
    group: REPOSITORY,
    load: async () => (await import("./commands/repair_decoders.ts")).repairDecoders,
  },
  { name: "key list", group: REPOSITORY, load: async () => (await import("./commands/key_list.ts")).keyList },
  { name: "key add", group: REPOSITORY, load: async () => (await import("./commands/key_add.ts")).keyAdd },
  { name: "key remove", group: REPOSITORY, load: async () => (await import("./commands/key_remove.ts")).keyRemove },
  { name: "key passwd", group: REPOSITORY, load: async () => (await import("./commands/key_passwd.ts")).keyPasswd },
  { name: "plugin new", group: PLUGINS, load: async () => (await import("./commands/plugin_new.ts")).pluginNew },
  { name: "plugin info", group: PLUGINS, load: async () => (await import("./commands/plugin_info.ts")).pluginInfo },
  { name: "plugin pack", group: PLUGINS, load: async () => (await import("./commands/plugin_pack.ts")).pluginPack },
  { name: "plugin test", group: PLUGINS, load: async () => (await import("./commands/plugin_try.ts")).pluginTest },
  { name: "plugin dev", group: PLUGINS, load: async () => (await import("./commands/plugin_dev.ts")).pluginDev },
  {
    name: "plugin keygen",
    group: PLUGINS,
    load: async () => (await import("./commands/plugin_keygen.ts")).pluginKeygen,
  },
  { name: "plugin sign", group: PLUGINS, load: async () => (await import("./commands/plugin_sign.ts")).pluginSign },
  {
    name: "plugin verify",
    group: PLUGINS,
    load: async () => (await import("./commands/plugin_verify.ts")).pluginVerify,
  },
  { name: "plugin load", group: PLUGINS, load: async () => (await import("./commands/plugin_load.ts")).pluginLoad },
  {
    name: "plugin replace",
    group: PLUGINS,
    load: async () => (await import("./commands/plugin_replace.ts")).pluginReplace,
  },
  {
    name: "plugin rollback",
    group: PLUGINS,
    load: async () => (await import("./commands/plugin_rollback.ts")).pluginRollback,
  },
  {
    name: "plugin unload",
    group: PLUGINS,
    load: async () => (await import("./commands/plugin_unload.ts")).pluginUnload,
  },
  { name: "plugin list", group: PLUGINS, load: async () => (await import("./commands/plugin_list.ts")).pluginList },
  { name: "plugin grant", group: PLUGINS, load: async () => (await import("./commands/plugin_grant.ts")).pluginGrant },
  {
    name: "plugin revoke",
    group: PLUGINS,
    load: async () => (await import("./commands/plugin_revoke.ts")).pluginRevoke,
  },
  {
    name: "config validate",
    group: MACHINE,
    load: async () => (await import("./commands/config_validate.ts")).configValidate,
  },
  {
    name: "config show",
    group: MACHINE,
    load: async () => (await import("./commands/config_show.ts")).configShow,
  },
  {
    name: "config schema",
    group: MACHINE,
    load: async () => (await import("./commands/config_schema.ts")).configSchema,
  },
  { name: "cache list", group: MACHINE, load: async () => (await import("./commands/cache_list.ts")).cacheList },
  { name: "cache clear", group: MACHINE, load: async () => (await import("./commands/cache_clear.ts")).cacheClear },
  { name: "doctor", group: MACHINE, load: async () => (await import("./commands/doctor.ts")).doctor },
  { name: "completion", group: PROGRAM, load: async () => (await import("./commands/completion.ts")).completion },
  { name: "version", group: PROGRAM, load: async () => (await import("./commands/version.ts")).version },
  { name: "help", group: PROGRAM, load: async () => (await import("./commands/help.ts")).help },
];
