import { deepStrictEqual as deepEqual, match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { GIB, KIB, MIB } from "../base/bytes.ts";
import { type ConfigSources, loadConfig } from "./load.ts";

/** Files by absolute path; the current folder is `/work`, the home folder `/home/ann`. */
function load(files: Record<string, string>, more: Partial<ConfigSources> = {}) {
  return loadConfig({
    folder: "/work",
    readFile: (path) => Promise.resolve(path in files ? utf8(files[path]) : undefined),
    ...more,
    env: { HOME: "/home/ann", ...more.env },
  });
}

const HERE = "/work/axiom.yaml";

async function failure(files: Record<string, string>, more?: Partial<ConfigSources>): Promise<AxiomError> {
  const error = await load(files, more).then(() => undefined, (error) => error);
  ok(error instanceof AxiomError, `expected a failure, got ${error}`);
  ok(error.hint, "every error names the next step");
  return error;
}

Deno.test("loadConfig() without any source gives the defaults", async () => {
  const { config, files, profile, origin } = await load({});
  deepEqual(files, []);
  equal(profile, undefined);
  equal(config.repository.location, undefined);
  deepEqual(config.backup.compression, "zstd:3");
  deepEqual(config.backup.exclude, []);
  equal(config.backup.mode, "incremental");
  equal(origin("backup.mode"), "default");
});

Deno.test("loadConfig() reads every kind of value", async () => {
  const { config, origin } = await load({
    [HERE]: `repository:
  location: s3://bucket/prefix
  password_file: ~/.axiom/password
cache: { enabled: false, dir: cache }
limits: { upload: 2 MiB/s, download: 512KiB }
backup:
  paths: [/etc, ~/docs, sub/folder]
  tags:
    - daily
  recheck: 2.5%
  exclude: ["*.tmp", "!keep.tmp"]
  exclude_if_present: [.nobackup, "TAG:head:er"]
  exclude_larger_than: 1.5 GiB
  one_file_system: true
  compression: zstd:9
  compression_rules: ["*.log = zstd:19", "a=b=none"]
  encryption_rules: ["/srv/public/**=plain"]
  chunker_rules: ["*.vmdk=fixed:32KiB", "*.iso=cdc", "*.db=fixed"]
check: { read_data_subset: 3/10 }
`,
  });
  equal(config.repository.location, "s3://bucket/prefix");
  equal(config.repository.passwordFile, "/home/ann/.axiom/password");
  deepEqual(config.cache, { enabled: false, dir: "/work/cache" });
  deepEqual(config.limits, { upload: 2 * MIB, download: 512 * KIB });
  deepEqual(config.backup.paths, ["/etc", "/home/ann/docs", "/work/sub/folder"]);
  deepEqual(config.backup.tags, ["daily"]);
  equal(config.backup.recheck, 2.5);
  deepEqual(config.backup.exclude, ["*.tmp", "!keep.tmp"]);
  deepEqual(config.backup.excludeIfPresent, [{ name: ".nobackup" }, { name: "TAG", header: "head:er" }]);
  equal(config.backup.excludeLargerThan, 1.5 * GIB);
  equal(config.backup.oneFileSystem, true);
  deepEqual(config.backup.compression, "zstd:9");
  deepEqual(config.backup.compressionRules, [
    { pattern: "*.log", value: "zstd:19" },
    { pattern: "a=b", value: "none" },
  ]);
  deepEqual(config.backup.encryptionRules, [{ pattern: "/srv/public/**", value: "plain" }]);
  deepEqual(config.backup.chunkerRules, [
    { pattern: "*.vmdk", value: { algorithm: "fixed-1", block_bytes: 32 * KIB } },
    { pattern: "*.iso", value: { algorithm: "fastcdc-1" } },
    { pattern: "*.db", value: { algorithm: "fixed-1" } },
  ]);
  deepEqual(config.check.readDataSubset, { kind: "part", part: 3, parts: 10 });
  equal(origin("backup.recheck"), "axiom.yaml:10:12");
  equal(origin("backup.paths"), "axiom.yaml:7:10");
});

Deno.test("loadConfig() lets the later source win: file, profile, its file, environment, flags", async () => {
  const host = async (more: Partial<ConfigSources>, files: Record<string, string> = {}) => {
    const base = "backup: { host: file, mode: full }\nprofiles:\n  night:\n    backup: { host: profile }\n  day:\n";
    const { config, origin } = await load({ [HERE]: base, ...files }, more);
    equal(config.backup.mode, "full", "what a later source does not name stays");
    return [config.backup.host, origin("backup.host")];
  };
  const night = { env: { AXIOM_ENV: "night" } };
  const beside = { "/work/axiom.night.yaml": "backup:\n  host: beside\n" };
  const env = { AXIOM_ENV: "night", AXIOM_CONFIG_BACKUP_HOST: "variable" };
  const flags = [{ path: "backup.host", flag: "--host", values: ["flag"] }];
  deepEqual(await host({}), ["file", "axiom.yaml:1:17"]);
  deepEqual(await host(night), ["profile", "axiom.yaml:4:21"]);
  deepEqual(await host({ env: { AXIOM_ENV: "day" } }), ["file", "axiom.yaml:1:17"]);
  deepEqual(await host({ ...night, profile: "day" }), ["file", "axiom.yaml:1:17"], "--profile wins over AXIOM_ENV");
  deepEqual(await host(night, beside), ["beside", "axiom.night.yaml:2:9"]);
  deepEqual(await host({ env }, beside), ["variable", "AXIOM_CONFIG_BACKUP_HOST"]);
  deepEqual(await host({ env, flags }, beside), ["flag", "--host"]);
  deepEqual(await host({ ...night }, { "/work/axiom.night.yaml": "backup: { host: null }" }), [
    undefined,
    "axiom.night.yaml:1:17",
  ]);
});

Deno.test("loadConfig() finds the file", async (t) => {
  const all = {
    [HERE]: "backup: { host: here }",
    "/home/ann/.config/axiom/axiom.yaml": "backup: { host: home }",
    "/xdg/axiom/axiom.yaml": "backup: { host: xdg }",
    "/etc/other.yml": "backup: { host: other }",
    "/etc/other.night.yml": "backup: { tags: [night] }",
    "/work/named.yaml": "",
  };
  const without = Object.fromEntries(Object.entries(all).filter(([path]) => path !== HERE));
  const cases: [
    name: string,
    files: Record<string, string>,
    more: Partial<ConfigSources>,
    host: string | undefined,
    read: string[],
  ][] = [
    ["here", all, {}, "here", ["axiom.yaml"]],
    ["in the user's folder", without, {}, "home", ["/home/ann/.config/axiom/axiom.yaml"]],
    ["in XDG_CONFIG_HOME", without, { env: { XDG_CONFIG_HOME: "/xdg" } }, "xdg", ["/xdg/axiom/axiom.yaml"]],
    ["not in a relative XDG_CONFIG_HOME", without, { env: { XDG_CONFIG_HOME: "xdg" } }, "home", [
      "/home/ann/.config/axiom/axiom.yaml",
    ]],
    ["by AXIOM_CONFIG", all, { env: { AXIOM_CONFIG: "/etc/other.yml" } }, "other", ["/etc/other.yml"]],
    ["not by an empty AXIOM_CONFIG", all, { env: { AXIOM_CONFIG: "" } }, "here", ["axiom.yaml"]],
    [
      "by --config before AXIOM_CONFIG",
      all,
      { configFile: "named.yaml", env: { AXIOM_CONFIG: "/etc/other.yml" } },
      undefined,
      ["named.yaml"],
    ],
    ["with the file of the profile", all, { configFile: "/etc/other.yml", profile: "night" }, "other", [
      "/etc/other.yml",
      "/etc/other.night.yml",
    ]],
    ["the file of the profile alone", { "/work/axiom.p.yaml": "backup: { host: p }" }, { profile: "p" }, "p", [
      "axiom.p.yaml",
    ]],
    ["nowhere", {}, { env: { HOME: undefined } }, undefined, []],
  ];
  for (const [name, files, more, host, read] of cases) {
    await t.step(name, async () => {
      const loaded = await load(files, more);
      equal(loaded.config.backup.host, host);
      deepEqual(loaded.files, read);
    });
  }
});

const FAULTY: [name: string, yaml: string, message: string][] = [
  [
    "an unknown option",
    "backup:\n  compresion: none",
    'axiom.yaml:2:3: backup.compresion: expected an option of backup, found "compresion"; did you mean compression?',
  ],
  [
    "an option in the wrong place",
    "exclude: [a]",
    'axiom.yaml:1:1: exclude: expected an option, found "exclude"; did you mean backup.exclude or restore.exclude?',
  ],
  [
    "an option with dashes",
    "backup: { exclude-caches: true }",
    'axiom.yaml:1:11: backup.exclude-caches: expected an option of backup, found "exclude-caches"; did you mean exclude_caches?',
  ],
  ["an option like nothing else", "xyzzy: 1", 'axiom.yaml:1:1: xyzzy: expected an option, found "xyzzy"'],
  [
    "a choice",
    "backup:\n  mode: ful",
    'axiom.yaml:2:9: backup.mode: expected full, incremental or differential, found "ful"; did you mean full?',
  ],
  [
    "a boolean as YAML 1.1 has it",
    "backup:\n  force: yes",
    'axiom.yaml:2:10: backup.force: expected true or false, found "yes"',
  ],
  [
    "a size",
    "backup: { exclude_larger_than: 5 MB }",
    'axiom.yaml:1:32: backup.exclude_larger_than: expected a size such as 512 KiB, 1.5 GiB or 4096 (bytes), found "5 MB"',
  ],
  [
    "a speed without unit",
    "limits: { upload: 500 }",
    'axiom.yaml:1:19: limits.upload: expected a speed such as 512 KiB/s or 2 MiB/s, or 0 for no limit, found "500"',
  ],
  [
    "a percentage",
    "backup: { recheck: 101% }",
    'axiom.yaml:1:20: backup.recheck: expected a percentage from 0% to 100%, found "101%"',
  ],
  [
    "a level",
    "backup: { compression: zstd:23 }",
    'axiom.yaml:1:24: backup.compression: expected none, zstd or zstd:LEVEL with a level from 1 to 22, found "zstd:23"',
  ],
  [
    "nothing",
    "backup:\n  mode:\n",
    "axiom.yaml:2:8: backup.mode: expected full, incremental or differential, found nothing",
  ],
  [
    "a list in place of a section",
    "backup: [a]",
    "axiom.yaml:1:9: backup: expected a section with keys such as paths, files_from, files_from_raw, sources, found a list",
  ],
  [
    "a list in place of everything",
    "- a\n- b",
    "axiom.yaml:1:1: expected a section with keys such as repository, cache, limits, output, found a list",
  ],
  [
    "a text in place of everything",
    "just text",
    "axiom.yaml:1:1: expected a section with keys such as repository, cache, limits, output, found text without any key",
  ],
  [
    "a text in place of a list",
    "backup: { tags: daily }",
    'axiom.yaml:1:17: backup.tags: expected a list, each of it text of one line, found "daily"',
  ],
  [
    "a list in a list",
    "backup: { tags: [[a]] }",
    "axiom.yaml:1:18: backup.tags: expected text of one line, found a list",
  ],
  [
    "nothing in a list",
    "backup:\n  tags:\n    -\n",
    "axiom.yaml:3:6: backup.tags: expected text of one line, found nothing",
  ],
  [
    "a section in place of a value",
    "backup: { mode: { a: 1 } }",
    "axiom.yaml:1:17: backup.mode: expected full, incremental or differential, found a section",
  ],
  [
    "a pattern that never matches",
    'backup: { exclude: ["a[b"] }',
    'axiom.yaml:1:21: backup.exclude: expected a pattern that can match; its "[" is never closed, or a class in it is unknown; write \\[ for the character itself, found "a[b"',
  ],
  [
    "a rule without value",
    "backup: { chunker_rules: [a.db] }",
    'axiom.yaml:1:27: backup.chunker_rules: expected PATTERN=VALUE where VALUE is cdc, fixed or fixed:SIZE with a power of two from 4 KiB to 4 MiB, found "a.db"',
  ],
  [
    "a rule of a relative path",
    "backup: { encryption_rules: [srv/x=plain] }",
    'axiom.yaml:1:30: backup.encryption_rules: expected PATTERN=VALUE with a pattern that can match; a pattern with / begins with / (from the root) or with **/ (anywhere), found "srv/x=plain"',
  ],
  ["the profiles", "profiles: [a]", "axiom.yaml:1:11: profiles: expected a section with one key for each profile"],
  [
    "an option of a profile that is not chosen",
    "profiles:\n  p:\n    backup: { mod: x }",
    'axiom.yaml:3:15: profiles.p.backup.mod: expected an option of backup, found "mod"; did you mean mode?',
  ],
  [
    "a profile in a profile",
    "profiles:\n  p:\n    profiles: {}",
    'axiom.yaml:3:5: profiles.p.profiles: expected an option, found "profiles"',
  ],
  [
    "the name of a profile",
    "profiles:\n  ../p: {}",
    'axiom.yaml:2:3: profiles: expected a name of letters, digits, _ and -, found "../p"',
  ],
  ["YAML", "a: b: c", 'axiom.yaml:1:4: expected one value, found a second ":" on the line'],
  [
    "a value that is very long",
    `backup: { mode: ${"x".repeat(1000)} }`,
    `axiom.yaml:1:17: backup.mode: expected full, incremental or differential, found "${"x".repeat(57)}…"`,
  ],
  [
    "a value with control characters",
    'backup: { mode: "a\\n\\e[2J" }',
    'axiom.yaml:1:17: backup.mode: expected full, incremental or differential, found "a\\x0a\\x1b[2J"',
  ],
];

Deno.test("loadConfig() names file, line, column, option, what it expected and what it found", async (t) => {
  for (const [name, yaml, message] of FAULTY) {
    await t.step(name, async () => {
      const error = await failure({ [HERE]: yaml });
      equal(error.message, `Cannot use the configuration: ${message}`);
      equal(error.kind, "config_invalid");
    });
  }
});

Deno.test("loadConfig() reports all errors together, up to a bound", async () => {
  const error = await failure({ [HERE]: "backup:\n  mode: x\n  nope: 1\nlimits: 5\n" }, {
    env: { AXIOM_CONFIG_BACKUP_FORCE: "maybe" },
    flags: [{ path: "backup.recheck", flag: "--recheck", values: ["many"] }],
  });
  deepEqual(error.message.split("\n"), [
    "Cannot use the configuration: 5 errors",
    '  axiom.yaml:2:9: backup.mode: expected full, incremental or differential, found "x"',
    '  axiom.yaml:3:3: backup.nope: expected an option of backup, found "nope"',
    '  axiom.yaml:4:9: limits: expected a section with keys such as upload, download, found "5"',
    '  AXIOM_CONFIG_BACKUP_FORCE: backup.force: expected true or false, found "maybe"',
    '  --recheck: backup.recheck: expected a percentage from 0% to 100%, found "many"',
  ]);
  const many = await failure({ [HERE]: Array.from({ length: 50 }, (_, i) => `key${i}: 1`).join("\n") });
  match(many.message, /50 errors/);
  match(many.message, /and 30 more$/);
});

Deno.test("loadConfig() says usage where only flags are wrong", async () => {
  const error = await failure({}, { flags: [{ path: "backup.mode", flag: "--mode", values: ["ful"] }] });
  equal(error.kind, "usage");
  equal(
    error.message,
    'Cannot use the configuration: --mode: backup.mode: expected full, incremental or differential, found "ful"; did you mean full?',
  );
  await rejects(load({}, { flags: [{ path: "backup.nope", flag: "--nope", values: [] }] }), TypeError);
});

Deno.test("loadConfig() refuses files and profiles that are not there", async (t) => {
  const profiles = { [HERE]: "profiles: { night: {}, day: {} }" };
  const cases: [name: string, files: Record<string, string>, more: Partial<ConfigSources>, message: RegExp][] = [
    ["--config", {}, { configFile: "no.yaml" }, /--config: expected a file, found none at "\/work\/no\.yaml"/],
    [
      "AXIOM_CONFIG",
      {},
      { env: { AXIOM_CONFIG: "/no.yaml" } },
      /AXIOM_CONFIG: expected a file, found none at "\/no\.yaml"/,
    ],
    [
      "a profile",
      profiles,
      { profile: "nihgt" },
      /--profile: expected a profile that is defined, found "nihgt"; did you mean night\?/,
    ],
    [
      "a profile without any file",
      {},
      { env: { AXIOM_ENV: "night" } },
      /AXIOM_ENV: expected a profile that is defined/,
    ],
    ["a profile like a path", profiles, { profile: "../../etc/x" }, /--profile: expected a name of letters/],
  ];
  for (const [name, files, more, message] of cases) {
    await t.step(name, async () => match((await failure(files, more)).message, message));
  }
  const notCapable = () => Promise.reject(Object.assign(new Error("Requires all access"), { name: "NotCapable" }));
  await t.step("a home folder where nothing may be read holds no file", async () => {
    deepEqual((await load({}, { readFile: notCapable })).files, []);
    match((await failure({}, { readFile: notCapable, configFile: "/proc/x" })).message, /found Requires all access/);
  });
  await t.step("a file that cannot be read", async () => {
    const error = await failure({}, { readFile: () => Promise.reject(new Error("permission denied")) });
    match(error.message, /axiom\.yaml: expected a file that can be read, found permission denied/);
  });
});

Deno.test("loadConfig() puts environment variables into values of files", async (t) => {
  const value = async (text: string, env: Record<string, string> = {}) => {
    return (await load({ [HERE]: `backup: { host: '${text}' }` }, { env })).config.backup.host;
  };
  equal(await value("${A}-${B}", { A: "x", B: "y" }), "x-y");
  equal(await value("${A:-none}"), "none");
  equal(await value("${A:-none}", { A: "" }), "none");
  equal(await value("${A:-}x"), "x");
  equal(await value("$${A} $A $", { A: "x" }), "${A} $A $");
  equal(await value("${A}", { A: "${B}", B: "y" }), "${B}", "what is put in is not looked at again");
  equal(await value("${A}", { A: "]} # : *x" }), "]} # : *x", "no YAML comes out of a variable");
  const cases: [string, RegExp][] = [
    ["${A}", /axiom\.yaml:1:17: backup\.host: expected the environment variable A to be set, found "\$\{A\}"/],
    ["${A", /expected \$\{NAME\} or/],
    ["${}", /expected \$\{NAME\} or/],
    ["${a b}", /expected \$\{NAME\} or/],
  ];
  for (const [text, message] of cases) {
    await t.step(text, async () => match((await failure({ [HERE]: `backup: { host: '${text}' }` })).message, message));
  }
  const error = await failure({ [HERE]: "backup: { mode: '${MODE}' }" }, { env: { MODE: "ful" } });
  match(error.message, /found "ful" from "\$\{MODE\}"; did you mean full\?/);
});

Deno.test("loadConfig() takes a location in place of the section", async () => {
  const { config, origin } = await load({ [HERE]: "repository: ../store" });
  equal(config.repository.location, "/store");
  equal(origin("repository.location"), "axiom.yaml:1:13");
});
