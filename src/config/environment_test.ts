import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import { loadConfig } from "./load.ts";
import { variableOf } from "./environment.ts";
import { OPTION_BY_PATH } from "./schema.ts";

const load = (env: Record<string, string>) =>
  loadConfig({ folder: "/w", env, readFile: () => Promise.resolve(undefined) });

Deno.test("every option has a variable of its own, which sets it", async () => {
  const names = [...OPTION_BY_PATH.keys()].map(variableOf);
  equal(new Set(names).size, names.length);
  for (const [path, option] of OPTION_BY_PATH) {
    const given = option.defaultText === "null" || option.defaultText === "[]" ? "" : option.defaultText;
    const { origin } = await load({ [variableOf(path)]: given });
    equal(origin(path), variableOf(path));
  }
});

Deno.test("variables set values of every shape", async (t) => {
  const exclude = "AXIOM_CONFIG_BACKUP_EXCLUDE";
  const cases: [name: string, env: Record<string, string>, path: [string, string], value: unknown][] = [
    ["a choice", { AXIOM_CONFIG_BACKUP_COMPRESSION: "zstd:9" }, ["backup", "compression"], "zstd:9"],
    ["a list of one", { [exclude]: "*.tmp, *.o" }, ["backup", "exclude"], ["*.tmp, *.o"]],
    ["a list by lines", { [exclude]: "*.tmp\n\n !x\r\n" }, ["backup", "exclude"], ["*.tmp", " !x"]],
    ["a list in brackets", { [exclude]: '["*.tmp", "[a]b"]' }, ["backup", "exclude"], ["*.tmp", "[a]b"]],
    ["tags by commas", { AXIOM_CONFIG_BACKUP_TAGS: "a, b,,c" }, ["backup", "tags"], ["a", "b", "c"]],
    ["no tags", { AXIOM_CONFIG_BACKUP_TAGS: "" }, ["backup", "tags"], []],
    ["nothing", { AXIOM_CONFIG_BACKUP_HOST: "" }, ["backup", "host"], undefined],
    ["a relative path", { AXIOM_REPOSITORY: "store" }, ["repository", "location"], "store"],
    ["a path in the home folder", { AXIOM_PASSWORD_FILE: "~/p", HOME: "/h" }, ["repository", "passwordFile"], "/h/p"],
    ["a named one before the other", { AXIOM_REPOSITORY: "/a", AXIOM_CONFIG_REPOSITORY_LOCATION: "/b" }, [
      "repository",
      "location",
    ], "/a"],
    [
      "an empty named one",
      { AXIOM_REPOSITORY: "", AXIOM_CONFIG_REPOSITORY_LOCATION: "/b" },
      ["repository", "location"],
      "/b",
    ],
    ["no references", { AXIOM_CONFIG_BACKUP_HOST: "${HOME}", HOME: "/h" }, ["backup", "host"], "${HOME}"],
    ["NO_COLOR", { NO_COLOR: "1" }, ["output", "color"], "never"],
    ["an empty NO_COLOR", { NO_COLOR: "" }, ["output", "color"], "auto"],
    ["the cache", { AXIOM_CACHE_DIR: "/c" }, ["cache", "dir"], "/c"],
  ];
  for (const [name, env, [section, key], value] of cases) {
    await t.step(name, async () => {
      const { config } = await load(env);
      deepEqual((config as unknown as Record<string, Record<string, unknown>>)[section][key], value);
    });
  }
});

Deno.test("variables that are no option, or no value, are refused", async (t) => {
  const cases: [name: string, value: string, message: RegExp][] = [
    [
      "AXIOM_CONFIG_BACKUP_COMPRESION",
      "none",
      /AXIOM_CONFIG_BACKUP_COMPRESION: .*did you mean AXIOM_CONFIG_BACKUP_COMPRESSION\?/,
    ],
    ["AXIOM_CONFIG_PROFILES", "{}", /AXIOM_CONFIG_PROFILES: expected a variable of an option/],
    ["AXIOM_CONFIG_backup_mode", "full", /AXIOM_CONFIG_backup_mode: .*did you mean AXIOM_CONFIG_BACKUP_MODE\?/],
    ["AXIOM_CONFIG_BACKUP_MODE", "", /AXIOM_CONFIG_BACKUP_MODE: backup\.mode: expected full, .* found nothing/],
    [
      "AXIOM_CONFIG_BACKUP_EXCLUDE",
      "[a",
      /AXIOM_CONFIG_BACKUP_EXCLUDE: backup\.exclude: expected lines, or a YAML list/,
    ],
    ["AXIOM_CONFIG_BACKUP_EXCLUDE", "[[a]]", /expected lines, or a YAML list/],
    ["AXIOM_CONFIG_BACKUP_EXCLUDE", "a\\", /expected a pattern that can match/],
  ];
  for (const [name, value, message] of cases) {
    await t.step(`${name}=${value}`, async () => {
      const error = await load({ [name]: value }).catch((error) => error);
      equal(error instanceof AxiomError && error.kind, "config_invalid");
      match(error.message, message);
    });
  }
});
