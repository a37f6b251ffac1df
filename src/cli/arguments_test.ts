import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import "../platform/memory.ts"; // loads libc, which then stays
import { MIB } from "../base/bytes.ts";
import { asksInstead, findCommand, parseArguments } from "./arguments.ts";
import type { AnyCommand } from "./command.ts";
import { COMMANDS } from "./command_table.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import { sample, sampleTable } from "./testing.ts";

const none = () => undefined;
const command = sample as AnyCommand;

Deno.test("findCommand() finds the command and leaves the other words as they are", async (t) => {
  const cases = [
    { argv: [], kind: "run", name: "", words: [] },
    { argv: ["backup", "/etc"], kind: "run", name: "backup", words: ["/etc"] },
    { argv: ["-r", "/srv", "backup", "/etc"], kind: "run", name: "backup", words: ["-r", "/srv", "/etc"] },
    { argv: ["-r/srv", "--json", "backup"], kind: "run", name: "backup", words: ["-r/srv", "--json"] },
    { argv: ["-vvr", "/srv", "backup", "--x"], kind: "run", name: "backup", words: ["-vvr", "/srv", "--x"] },
    { argv: ["--repo=backup", "restore"], kind: "run", name: "restore", words: ["--repo=backup"] },
    { argv: ["-r", "backup", "restore"], kind: "run", name: "restore", words: ["-r", "backup"] },
    { argv: ["key", "add"], kind: "run", name: "key add", words: [] },
    { argv: ["key", "-q", "add", "x"], kind: "run", name: "key add", words: ["-q", "x"] },
    { argv: ["repair", "index", "backup"], kind: "run", name: "repair index", words: ["backup"] },
    { argv: ["key"], kind: "run", name: "key", words: [] },
    { argv: ["--", "backup", "--help"], kind: "run", name: "backup", words: ["--", "--help"] },
    { argv: ["backup", "--help"], kind: "run", name: "backup", words: ["--help"] },
    { argv: ["-h", "backup"], kind: "help", name: "backup", words: ["-h"] },
    { argv: ["key", "--help"], kind: "help", name: "key", words: ["--help"] },
    { argv: ["--version"], kind: "version", name: "", words: ["--version"] },
  ];
  for (const { argv, ...expected } of cases) {
    await t.step(argv.join(" ") || "nothing", () => deepEqual(findCommand(argv, sampleTable()), expected));
  }
});

Deno.test("findCommand() refuses what it does not know and says what is near", async (t) => {
  const cases = [
    { argv: ["bakcup"], message: /^Cannot run bakcup: unknown command$/, hint: "Did you mean `axiom backup`?" },
    { argv: ["xyz"], message: /xyz: unknown command/, hint: "Run `axiom help` for the list" },
    { argv: [""], message: /unknown command/, hint: "Run `axiom help` for the list" },
    { argv: ["-"], message: /Cannot run -: unknown command/, hint: "Run `axiom help` for the list" },
    { argv: ["key", "ad"], message: /key ad: unknown subcommand of key/, hint: "Did you mean `axiom key add`?" },
    { argv: ["key", "xyz"], message: /unknown subcommand of key/, hint: "Run `axiom help key` for the list" },
    { argv: ["--jsn", "backup"], message: /Cannot run axiom: unknown flag --jsn/, hint: "Did you mean --json?" },
    {
      argv: ["--mode", "full", "backup"],
      message: /unknown flag --mode/,
      hint: "Flags of a command stand after its name",
    },
    { argv: ["-x", "backup"], message: /unknown flag -x/, hint: "Flags of a command stand after its name" },
    { argv: ["--json=1", "backup"], message: /--json takes no value/, hint: undefined },
    { argv: ["--repo"], message: /Cannot read --repo: its value is missing/, hint: "Write --repo=<location>" },
    {
      argv: ["-r", "--json", "backup"],
      message: /-r: its value is missing, --json follows/,
      hint: "If that is the value, write -r--json",
    },
    { argv: ["a\x1bb"], message: /Cannot run a\\x1bb: unknown command/, hint: "Run `axiom help` for the list" },
  ];
  for (const { argv, message, hint } of cases) {
    await t.step(argv.join(" "), () => throws(() => findCommand(argv, sampleTable()), usage(message, hint)));
  }
});

Deno.test("parseArguments() reads flags before and after arguments, and every type of value", async (t) => {
  const defaults = {
    "dry-run": false,
    tag: [],
    host: undefined,
    mode: "incremental",
    keep: undefined,
    "larger-than": 1024 * MIB,
    recheck: 0,
    within: undefined,
    time: undefined,
    target: undefined,
    "exclude-file": [],
    checked: false,
  };
  const cases: { line: string; positionals?: string[]; values?: Record<string, unknown> }[] = [
    { line: "a", values: {} },
    { line: "a b -n c", positionals: ["a", "b", "c"], values: { "dry-run": true } },
    { line: "--tag x a --tag=y -tz -t=w", values: { tag: ["x", "y", "z", "w"] } },
    { line: "a -k5", values: { keep: 5 } },
    { line: "a -k 5", values: { keep: 5 } },
    { line: "a -k=5", values: { keep: 5 } },
    { line: "a -nk5", values: { keep: 5, "dry-run": true } },
    { line: "a --keep=100 --keep 100", values: { keep: 100 } },
    { line: "a --mode full", values: { mode: "full" } },
    { line: "a --larger-than 20M", values: { "larger-than": 20 * MIB } },
    { line: "a --recheck 5%", values: { recheck: 5 } },
    { line: "a --recheck 0.5", values: { recheck: 0.5 } },
    { line: "a --within 1h30m", values: { within: 5_400_000 } },
    { line: "a --time 1970-01-01T00:00:01Z", values: { time: "1000000000" } },
    { line: "a --host=--odd", values: { host: "--odd" } },
    { line: "a --host a=b=c", values: { host: "a=b=c" } },
    { line: "a --exclude-file -", values: { "exclude-file": ["-"] } },
    { line: "- a", positionals: ["-", "a"] },
    { line: "a -- -n --tag --", positionals: ["a", "-n", "--tag", "--"] },
    { line: "--json a -q", positionals: ["a"] },
  ];
  for (const { line, positionals = ["a"], values = {} } of cases) {
    await t.step(line, () => {
      const parsed = parseArguments(line.split(" "), command, none);
      deepEqual(parsed.positionals, positionals);
      deepEqual({ ...parsed.values }, { ...defaults, ...values });
    });
  }
});

const WRONG: { words: string[]; message: RegExp; hint?: string }[] = [
  {
    words: ["--dryrun", "/etc"],
    message: /^Cannot run backup: unknown flag --dryrun$/,
    hint: "Did you mean --dry-run?",
  },
  { words: ["-dry-run", "a"], message: /unknown flag -dry-run$/, hint: "Did you mean --dry-run?" },
  { words: ["-x", "a"], message: /unknown flag -x$/, hint: "Run `axiom help backup` for its flags" },
  { words: ["-nx", "a"], message: /unknown flag -x$/, hint: "Run `axiom help backup` for its flags" },
  { words: ["--no-dry-run", "a"], message: /unknown flag --no-dry-run$/ },
  { words: ["---tag", "a"], message: /unknown flag ---tag$/, hint: "Did you mean --tag?" },
  { words: ["--__proto__", "a"], message: /unknown flag --__proto__$/ },
  { words: ["--constructor=x", "a"], message: /unknown flag --constructor$/ },
  { words: ["--progress", "a"], message: /unknown flag --progress$/ },
  { words: ["a", "--tag"], message: /^Cannot read --tag: its value is missing$/, hint: "Write --tag=<text>" },
  { words: ["a", "-t"], message: /^Cannot read -t: its value is missing$/, hint: "Write -t <text>" },
  { words: ["a", "--keep"], message: /--keep: its value is missing$/, hint: "Write --keep=<n>" },
  {
    words: ["a", "--tag", "-n"],
    message: /its value is missing, -n follows/,
    hint: "If that is the value, write --tag=-n",
  },
  { words: ["a", "--tag", "--", "b"], message: /its value is missing, -- follows/ },
  { words: ["a", "--dry-run=yes"], message: /--dry-run takes no value/ },
  { words: ["a", "-v=2"], message: /Cannot read -v=2: -v takes no value/ },
  { words: ["a", "--tag="], message: /Cannot read --tag "": it is empty/ },
  { words: ["a", "--repo", ""], message: /Cannot read --repo "": it is empty/ },
  { words: ["a", "--keep", "5", "--keep=6"], message: /Cannot use --keep twice: "5" and "6" are both given/ },
  { words: ["a", "--host=x", "--host=y"], message: /Cannot use --host twice/ },
  { words: ["a", "-r", "x", "--repo", "y"], message: /Cannot use --repo twice/ },
  { words: ["a", "--keep", "0"], message: /Cannot read --keep "0": at least 1/ },
  { words: ["a", "--keep", "101"], message: /at most 100/ },
  { words: ["a", "--keep", "5x"], message: /expected a whole number/ },
  { words: ["a", "--keep", "1e1"], message: /expected a whole number/ },
  { words: ["a", "--keep", "5.0"], message: /expected a whole number/ },
  { words: ["a", "--keep=-1"], message: /at least 1/ },
  { words: ["a", "--limit-upload", "0"], message: /at least 1/ },
  { words: ["a", "--larger-than", "1 GB"], message: /expected a size such as/ },
  { words: ["a", "--recheck", "101%"], message: /expected a percentage/ },
  { words: ["a", "--recheck", "x"], message: /expected a percentage/ },
  { words: ["a", "--within", "5"], message: /expected a duration/ },
  { words: ["a", "--time", "yesterday"], message: /expected a time/ },
  {
    words: ["a", "--mode", "ful"],
    message: /"ful": expected full, incremental or differential/,
    hint: "Did you mean full?",
  },
  { words: ["a", "--mode", "x"], message: /expected full, incremental or differential/ },
  { words: [], message: /^Cannot run backup: <path> is missing$/, hint: "Usage: axiom backup [flags] <path>…" },
  { words: [""], message: /Cannot run backup: an argument is empty/ },
  { words: ["a", "-q", "-v"], message: /Cannot use --quiet and --verbose together/ },
  {
    words: ["a", "-p", "f", "--password-command", "c"],
    message: /Cannot use --password-file and --password-command together/,
  },
  { words: ["a", "--cache-dir", "d", "--no-cache"], message: /Cannot use --cache-dir and --no-cache together/ },
];

Deno.test("parseArguments() refuses what is wrong", async (t) => {
  for (const { words, message, hint } of WRONG) {
    await t.step(words.join(" ") || "nothing", () => {
      throws(
        () => parseArguments(words, command, none),
        hint === undefined ? usageMessage(message) : usage(message, hint),
      );
    });
  }
});

Deno.test("parseArguments() counts and judges arguments", async (t) => {
  const strict = { ...command, arguments: [{ name: "shell", description: "", choices: ["bash", "zsh"] }] };
  const cases = [
    { words: ["bash", "x"], message: /unexpected argument "x"/, hint: "Usage: axiom backup [flags] <path>…" },
    { words: ["bash", "dryrun"], message: /unexpected argument "dryrun"/, hint: "Did you mean --dry-run?" },
    { words: ["bsh"], message: /Cannot read <shell> "bsh": expected bash or zsh/, hint: "Did you mean bash?" },
  ];
  for (const { words, message, hint } of cases) {
    await t.step(words.join(" "), () => throws(() => parseArguments(words, strict, none), usage(message, hint)));
  }
  await t.step("after -- an argument may be empty", () => {
    deepEqual(parseArguments(["--", "printf", ""], command, none).positionals, ["printf", ""]);
  });
  await t.step("an optional one may be missing", () => {
    const optional = { ...command, arguments: [{ name: "x", description: "", optional: true as const }] };
    deepEqual(parseArguments([], optional, none).positionals, []);
  });
});

Deno.test("parseArguments() takes global flags from the command line, then from variables", async (t) => {
  const cases: { line: string; variables?: Record<string, string>; expected: Record<string, unknown> }[] = [
    { line: "-r /srv", expected: { location: "/srv" } },
    { line: "--repo s3://b/p", variables: { AXIOM_REPOSITORY: "/srv" }, expected: { location: "s3://b/p" } },
    { line: "", variables: { AXIOM_REPOSITORY: "/srv" }, expected: { location: "/srv" } },
    { line: "", variables: { AXIOM_REPOSITORY: "" }, expected: { location: undefined } },
    { line: "-p f", expected: { password: { kind: "file", path: "f" } } },
    { line: "", variables: { AXIOM_PASSWORD_FILE: "f" }, expected: { password: { kind: "file", path: "f" } } },
    { line: "--password-command c", expected: { password: { kind: "command", command: "c" } } },
    {
      line: "--password-command c",
      variables: { AXIOM_PASSWORD_FILE: "f", AXIOM_PASSWORD: "x" },
      expected: { password: { kind: "command", command: "c" } },
    },
    {
      line: "-p f",
      variables: { AXIOM_PASSWORD_COMMAND: "c", AXIOM_PASSWORD: "x" },
      expected: { password: { kind: "file", path: "f" } },
    },
    {
      line: "",
      variables: { AXIOM_PASSWORD_COMMAND: "c", AXIOM_PASSWORD: "x" },
      expected: { password: { kind: "command", command: "c" } },
    },
    { line: "", variables: { AXIOM_PASSWORD: "x" }, expected: { password: { kind: "environment" } } },
    { line: "", expected: { password: { kind: "terminal" } } },
    { line: "-c f", variables: { AXIOM_CONFIG: "g" }, expected: { configPath: "f" } },
    { line: "", variables: { AXIOM_CONFIG: "g" }, expected: { configPath: undefined } },
    { line: "--profile night", variables: { AXIOM_ENV: "day" }, expected: { profile: "night" } },
    { line: "", variables: { AXIOM_ENV: "day" }, expected: { profile: undefined } },
    { line: "--cache-dir d", expected: { cache: { kind: "folder", path: "d" } } },
    { line: "", variables: { AXIOM_CACHE_DIR: "d" }, expected: { cache: { kind: "folder", path: "d" } } },
    { line: "--no-cache", variables: { AXIOM_CACHE_DIR: "d" }, expected: { cache: { kind: "none" } } },
    { line: "", expected: { cache: { kind: "default" }, json: false, quiet: false, verbosity: 0, progress: true } },
    { line: "--json -q", expected: { json: true, quiet: true, progress: false } },
    { line: "-vv --verbose --no-progress", expected: { verbosity: 3, progress: false, quiet: false } },
    {
      line: "--limit-upload 100 --limit-download=50",
      expected: { uploadKibPerSecondMax: 100, downloadKibPerSecondMax: 50 },
    },
  ];
  for (const { line, variables = {}, expected } of cases) {
    await t.step(`${line} ${JSON.stringify(variables)}`, () => {
      const words = ["a", ...line.split(" ").filter((word) => word !== "")];
      const { globals } = parseArguments(words, command, (name) => variables[name]);
      for (const [key, value] of Object.entries(expected)) {
        deepEqual((globals as unknown as Record<string, unknown>)[key], value, key);
      }
    });
  }
  await t.step("a command's flag has its variable too, which names itself in errors", () => {
    const withHost = (name: string) => name === "AXIOM_HOST" ? "h" : name === "AXIOM_CHECKED" ? "1" : undefined;
    equal(parseArguments(["a"], command, withHost).values.host, "h");
    equal(parseArguments(["a"], command, withHost).values.checked, true);
    const wrong = (name: string) => name === "AXIOM_CHECKED" ? "yes" : undefined;
    throws(
      () => parseArguments(["a"], command, wrong),
      usageMessage(/Cannot read AXIOM_CHECKED "yes": expected 1, true, 0 or false/),
    );
  });
});

Deno.test("asksInstead() sees --help whatever else is wrong, but not where it is a value or an argument", async (t) => {
  const cases = [
    { line: "--help", expected: "help" },
    { line: "-h", expected: "help" },
    { line: "-nh", expected: "help" },
    { line: "--bogus --help", expected: "help" },
    { line: "--version", expected: "version" },
    { line: "--tag --help", expected: undefined },
    { line: "-- --help", expected: undefined },
    { line: "a", expected: undefined },
  ];
  for (const { line, expected } of cases) {
    await t.step(line, () => equal(asksInstead(line.split(" "), command), expected));
  }
});

Deno.test("every command is declared as the frame needs it", async (t) => {
  const globals = new Set<string>(
    GLOBAL_FLAGS.flatMap((flag) => [flag.long, "short" in flag ? flag.short : flag.long]),
  );
  for (const entry of COMMANDS) {
    await t.step(entry.name, async () => {
      const { name, summary, usage, examples, flags, arguments: declared } = await entry.load();
      equal(name, entry.name);
      equal(COMMANDS.filter((other) => other.name === name || other.name.startsWith(`${name} `)).length, 1);
      for (const line of usage.split("\n")) equal(line.startsWith("axiom "), true, line);
      equal(/\.$|\n/.test(summary), false, summary);
      equal(examples.length >= 2, true, "two examples");
      const seen = new Set<string>();
      for (const flag of flags) {
        for (const spelling of [flag.long, ...(flag.short === undefined ? [] : [flag.short])]) {
          equal(globals.has(spelling), false, `${spelling} is global`);
          equal(seen.has(spelling), false, `${spelling} is there twice`);
          seen.add(spelling);
        }
        equal(/^[a-z][a-z0-9]+(-[a-z0-9]+)*$/.test(flag.long), true, flag.long);
        equal(flag.short === undefined || /^[a-zA-Z]$/.test(flag.short), true, flag.short);
        equal((flag.choices !== undefined) === (flag.type === "choice"), true, `choices of ${flag.long}`);
        equal(/\.$|\n/.test(flag.description), false, flag.description);
      }
      declared.forEach((argument, place) => {
        equal(argument.repeatable === undefined || place === declared.length - 1, true, "only the last one repeats");
        equal(
          declared[place - 1]?.optional === undefined || argument.optional === true,
          true,
          "optional ones come last",
        );
      });
      const words = declared.filter((argument) => !argument.optional).map(({ choices }) => choices?.[0] ?? "x");
      parseArguments(words, await entry.load(), none); // reads every default
    });
  }
});

function usage(message: RegExp, hint: string | undefined): (error: unknown) => boolean {
  return (error) => {
    usageMessage(message)(error);
    equal((error as AxiomError).hint, hint);
    return true;
  };
}

function usageMessage(message: RegExp): (error: unknown) => boolean {
  return (error) => {
    equal(error instanceof AxiomError && error.kind, "usage");
    equal(message.test((error as AxiomError).message), true, (error as AxiomError).message);
    return true;
  };
}
