import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal, throws } from "node:assert/strict";
import { AxiomError } from "../../base/errors.ts";
import "../../platform/memory.ts"; // loads libc, which then stays
import { loadConfig } from "../../config/load.ts";
import { OPTION_BY_PATH } from "../../config/schema.ts";
import { parseArguments } from "../arguments.ts";
import type { Flag } from "../command.ts";
import { COMMANDS } from "../command_table.ts";
import { flagSettings } from "../flag_settings.ts";

async function load(name: string) {
  const entry = COMMANDS.find((each) => each.name === name);
  ok(entry, `there is no command ${name}`);
  return await entry.load();
}

async function parse(name: string, words: string[]): Promise<unknown> {
  const command = await load(name);
  const { values, positionals } = parseArguments(words, command, () => undefined);
  return command.parse(values, positionals);
}

const CHOICE = { hosts: [], tags: [], paths: [] };
const REQUEST = {
  paths: [],
  filesFrom: [],
  filesFromRaw: [],
  sources: [],
  exclude: [],
  iexclude: [],
  excludeFile: [],
  excludeIfPresent: [],
};
const setting = (path: string, flag: string, ...values: string[]) => ({ path, flag, values });

const CASES: [line: string, options: unknown][] = [
  ["init", []],
  ["init --kdf pbkdf2 --label home", [
    setting("init.kdf", "--kdf", "pbkdf2"),
    setting("init.label", "--label", "home"),
  ]],
  [
    "backup",
    { settings: [], what: { kind: "files", request: REQUEST }, timeNs: undefined, dryRun: false },
  ],
  [
    "backup a b -e *.o -e *.p --iexclude *.JPG --exclude-file x --exclude-if-present .no:head --files-from - --source s -n",
    {
      settings: [],
      what: {
        kind: "files",
        request: {
          ...REQUEST,
          paths: ["a", "b"],
          filesFrom: ["-"],
          sources: ["s"],
          exclude: ["*.o", "*.p"],
          iexclude: ["*.JPG"],
          excludeFile: ["x"],
          excludeIfPresent: [{ name: ".no", header: "head" }],
        },
      },
      timeNs: undefined,
      dryRun: true,
    },
  ],
  [
    "backup a -x -f --mode full --tag t --tag u --host h --parent latest --recheck 5% --exclude-caches " +
    "--exclude-larger-than 1MiB --compression zstd:9 --encryption aes-256-ctr --time 1970-01-01T00:00:01Z",
    {
      settings: [
        setting("backup.exclude_caches", "--exclude-caches", "true"),
        setting("backup.exclude_larger_than", "--exclude-larger-than", "1048576"),
        setting("backup.one_file_system", "--one-file-system", "true"),
        setting("backup.mode", "--mode", "full"),
        setting("backup.tags", "--tag", "t", "u"),
        setting("backup.host", "--host", "h"),
        setting("backup.parent", "--parent", "latest"),
        setting("backup.force", "--force", "true"),
        setting("backup.recheck", "--recheck", "5"),
        setting("backup.compression", "--compression", "zstd:9"),
        setting("backup.encryption", "--encryption", "aes-256-ctr"),
      ],
      what: { kind: "files", request: { ...REQUEST, paths: ["a"] } },
      timeNs: "1000000000",
      dryRun: false,
    },
  ],
  [
    "backup --stdin --stdin-filename db.sql",
    {
      settings: [setting("backup.stdin_filename", "--stdin-filename", "db.sql")],
      what: { kind: "stream", command: [] },
      timeNs: undefined,
      dryRun: false,
    },
  ],
  [
    "backup --stdin-from-command -- pg_dump --all",
    { settings: [], what: { kind: "stream", command: ["pg_dump", "--all"] }, timeNs: undefined, dryRun: false },
  ],
  [
    "restore latest:/home -t out -i *.c -e *.o --overwrite never --delete --verify -n --host h --tag a,b --path /home",
    {
      settings: [
        setting("restore.include", "--include", "*.c"),
        setting("restore.exclude", "--exclude", "*.o"),
        setting("restore.overwrite", "--overwrite", "never"),
        setting("restore.delete", "--delete", "true"),
        setting("restore.verify", "--verify", "true"),
      ],
      snapshot: "latest",
      path: "/home",
      target: "out",
      dryRun: true,
      choice: { hosts: ["h"], tags: ["a,b"], paths: ["/home"] },
    },
  ],
  ["snapshots", { choice: CHOICE, newest: undefined, names: [] }],
  ["snapshots --latest 2 1a 2b", { choice: CHOICE, newest: 2, names: ["1a", "2b"] }],
  ["ls latest", { snapshot: "latest", long: false, recursive: false, faults: false, choice: CHOICE }],
  ["ls -l -R 1a:/x:y", { snapshot: "1a", path: "/x:y", long: true, recursive: true, faults: false, choice: CHOICE }],
  [
    "ls --faults 1a:/a\\xff\\x0a\\x5cx0a",
    { snapshot: "1a", path: "/a\udcff\n\\x0a", long: false, recursive: false, faults: true, choice: CHOICE },
  ],
  [
    "find *.c -i -l --type file --type dir --newer 1970-01-01T00:00:01Z --larger-than 1KiB -s latest --host h",
    {
      options: {
        patterns: [{ text: "*.c", kind: "glob" }],
        ignoreCase: true,
        types: ["file", "dir"],
        newerThanNs: "1000000000",
        sizeBytesMin: 1024,
        names: ["latest"],
      },
      choice: { ...CHOICE, hosts: ["h"] },
      long: true,
    },
  ],
  [
    "find --text a b",
    {
      options: { patterns: [{ text: "a b", kind: "text" }], ignoreCase: false, types: [], names: [] },
      choice: CHOICE,
      long: false,
    },
  ],
  ["history x --tag t", { path: "x", choice: { ...CHOICE, tags: ["t"] } }],
  [
    "diff --metadata 1a:/etc latest",
    { before: { snapshot: "1a", path: "/etc" }, after: { snapshot: "latest" }, metadata: true, choice: CHOICE },
  ],
  [
    "dump -o x.tar --archive tar latest:/etc/fstab",
    { snapshot: "latest", path: "/etc/fstab", archive: true, file: "x.tar", choice: CHOICE },
  ],
  ["stats", { mode: "restore-size", names: [], choice: CHOICE }],
  ["stats --mode raw-data latest", { mode: "raw-data", names: ["latest"], choice: CHOICE }],
  ["tag --add a,b --remove c latest", {
    names: ["latest"],
    choice: CHOICE,
    change: { add: ["a", "b"], remove: ["c"] },
  }],
  ["tag --set a --host h", { names: [], choice: { ...CHOICE, hosts: ["h"] }, change: { set: ["a"] } }],
  ["tag --clear latest", { names: ["latest"], choice: CHOICE, change: { set: [] } }],
  ["check", { settings: [], seed: undefined }],
  [
    "check --read-data",
    {
      settings: [
        setting("check.read_data", "--read-data", "true"),
        setting("check.read_data_subset", "--read-data"),
      ],
      seed: undefined,
    },
  ],
  [
    "check --read-data-subset 1/7 --seed s",
    {
      settings: [
        setting("check.read_data_subset", "--read-data-subset", "1/7"),
        setting("check.read_data", "--read-data-subset", "false"),
      ],
      seed: "s",
    },
  ],
  ["repair index -n --condemned-lists", { settings: [], seed: undefined, condemnedLists: true, dryRun: true }],
  [
    "repair snapshots --forget --keep-files -n 1a",
    { names: ["1a"], forget: true, keepFiles: true, dryRun: true },
  ],
  ["repair decoders -n", { dryRun: true }],
  ["key list", {}],
  [
    "key add --label l --new-key-file k --kdf argon2id",
    {
      settings: [setting("init.kdf", "--kdf", "argon2id")],
      choice: { source: { passwordFile: undefined, passwordCommand: undefined, keyFile: "k" }, label: "l" },
    },
  ],
  ["key remove -f 1a", { id: "1a", evenCurrent: true }],
  [
    "key passwd --new-password-file p",
    {
      settings: [],
      choice: { source: { passwordFile: "p", passwordCommand: undefined, keyFile: undefined }, label: undefined },
      id: undefined,
    },
  ],
  ["cache list", {}],
  ["cache clear", { id: undefined }],
  [`cache clear ${"a".repeat(32)}`, { id: "a".repeat(32) }],
  ["config validate", {}],
  ["config show --changed", { changed: true }],
  ["config schema", { of: "configuration" }],
  ["config schema plugin", { of: "plugin" }],
  ["plugin info a.wasm", { name: "a.wasm" }],
  ["plugin pack -o b.wasm --manifest c.yaml a.wasm", { file: "a.wasm", manifest: "c.yaml", output: "b.wasm" }],
  ["plugin new --lang c --category source ../x/a_b", {
    lang: "c",
    category: "source",
    pluginId: "a_b",
    folder: "../x/a_b",
  }],
  ["plugin test a.wasm", { file: "a.wasm" }],
  ["plugin dev a.wasm", { watch: false, file: "a.wasm", command: [] }],
  [
    "plugin dev --watch --manifest p.yaml a.wasm -- make -j 2",
    { watch: true, manifest: "p.yaml", file: "a.wasm", command: ["make", "-j", "2"] },
  ],
  ["plugin keygen k", { name: "k" }],
  ["plugin sign -s k.key a.wasm", { path: "a.wasm", secretKey: "k.key" }],
  ["plugin verify --key k.pub --signature s a.wasm", { path: "a.wasm", key: "k.pub", signaturePath: "s" }],
  ["plugin load a.wasm", { path: "a.wasm" }],
  ["plugin replace --signature s a.wasm", { path: "a.wasm", signaturePath: "s" }],
  ["plugin rollback some_id", { id: "some_id" }],
  ["plugin unload --with-dependants some_id", { id: "some_id", withDependants: true, withNotes: false }],
  ["plugin list", { withBuiltIn: false }],
  ["plugin list --built-in", { withBuiltIn: true }],
  ["plugin grant --all some_id", { id: "some_id", request: { names: "all", hosts: [], private: false, folders: [] } }],
  ["plugin grant some_id net.http files --host a --host b:1 --folder /c", {
    id: "some_id",
    request: { names: ["net.http", "files"], hosts: ["a", "b:1"], private: false, folders: ["/c"] },
  }],
  ["plugin revoke some_id clock kv", { id: "some_id", names: ["clock", "kv"] }],
  ["plugin revoke --all some_id", { id: "some_id" }],
  ["doctor --accept-repository", { accept: true }],
];

/** The command's name, and the words after it. */
function split(line: string): [string, string[]] {
  const name = COMMANDS.map((entry) => entry.name).filter((each) => line === each || line.startsWith(`${each} `))
    .sort((a, b) => b.length - a.length)[0];
  return [name, line.slice(name.length).split(" ").filter((word) => word !== "")];
}

Deno.test("commands understand what is written", async (t) => {
  for (const [line, options] of CASES) {
    await t.step(line, async () => deepEqual(plain(await parse(...split(line))), plain(options)));
  }
  await t.step("and every one is tried", () => {
    const tried = new Set(CASES.map(([line]) => split(line)[0]));
    const program = COMMANDS.filter(({ group }) => group === "This program").map(({ name }) => name);
    deepEqual(COMMANDS.map(({ name }) => name).filter((name) => !tried.has(name) && !program.includes(name)), []);
  });
});

/** Without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}

Deno.test("commands refuse what does not go together", async (t) => {
  const cases: [line: string, message: RegExp, hint?: RegExp][] = [
    ["backup --stdin x", /"x" stands beside --stdin/],
    ["backup --stdin --stdin-from-command -- x", /both given/],
    ["backup --stdin-from-command", /the command is missing/, /after --/],
    ["backup --stdin --exclude x", /--exclude says nothing about a stream/],
    ["backup --stdin --files-from x", /--files-from says nothing about a stream/],
    ["backup --exclude-if-present a/b x", /--exclude-if-present "a\/b": expected NAME/],
    ["backup --mode some x", /expected full, incremental or differential/],
    ["backup --recheck 101 x", /0 to 100/],
    ["backup --tag a --tag , x", /no tag in it/, /--tag=<tag>/],
    ["backup --time 9000-01-01 x", /later than the year 5138/],
    ["restore latest", /--target is missing/, /--target/],
    ["restore", /<snapshot\[:path\]> is missing/],
    ["restore latest other -t x", /unexpected argument "other"/],
    ["ls", /is missing/],
    ["diff latest", /<after> is missing/],
    ["tag --add x", /no snapshot is named/],
    ["tag latest", /no flag says how/],
    ["tag --set x --add y latest", /all tags are replaced/],
    ["tag --set x --clear latest", /--set and --clear/],
    ["key remove", /<id> is missing/],
    ["key add --new-key-file a --new-password-file b", /--new-password-file and --new-key-file together/],
    ["plugin sign a.wasm", /--secret-key is missing/, /--secret-key author\.key/],
    ["plugin grant --all some_id clock", /--all and a capability/],
    ["plugin revoke some_id", /none is named/],
    ["plugin revoke --all some_id clock", /--all and a capability/],
    ["cache clear xyz", /no id of a repository/],
    ["snapshots --latest 0", /at least 1/],
  ];
  for (const [line, message, hint] of cases) {
    const [name, words] = split(line);
    await t.step(line, async () => {
      const command = await load(name);
      throws(() => {
        const { values, positionals } = parseArguments(words, command, () => undefined);
        command.parse(values, positionals);
      }, (error) => {
        ok(error instanceof AxiomError);
        equal(error.kind, "usage");
        match(error.message, message);
        if (hint !== undefined) match(error.hint ?? "", hint);
        return true;
      });
    });
  }
});

const SAMPLES: Partial<Record<string, string>> = {
  "backup.compression": "zstd:5",
  "backup.encryption": "aes-256-cbc",
  "check.read_data_subset": "5%",
};

Deno.test("every flag that sets an option sets it to what the option can be", async (t) => {
  for (const entry of COMMANDS) {
    const command = await entry.load();
    for (const flag of command.flags.filter(({ option }) => option !== undefined)) {
      await t.step(`${command.name} --${flag.long}`, async () => {
        ok(OPTION_BY_PATH.has(flag.option!), flag.option);
        const { values } = parseArguments([`--${flag.long}${valueFor(flag)}`, ...command.arguments.map(() => "x")], {
          ...command,
          arguments: command.arguments.map(({ name, description }) => ({ name, description })),
        }, () => undefined);
        const flags = flagSettings(command.flags, values);
        equal(flags.length, 1);
        const loaded = await loadConfig({ folder: "/w", env: {}, flags, readFile: () => Promise.resolve(undefined) });
        equal(loaded.origin(flag.option!), `--${flag.long}`);
      });
    }
  }
});

function valueFor(flag: Flag): string {
  if (flag.type === "boolean") return "";
  const values = { size: "1 MiB", percent: "5%", choice: flag.choices?.at(-1), integer: "1" } as Record<string, string>;
  return `=${SAMPLES[flag.option!] ?? values[flag.type] ?? "x"}`;
}
