/** `--json`: the keys that scripts rely on. Keys are only ever added, so each list here may grow and never shrink. */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { writeSmallSource } from "../faults/source_folder.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;
const ID = /^[0-9a-f]{32}$/;

type Check = "id" | "time" | "count" | "seconds" | "text" | "null" | "list" | "boolean" | RegExp | readonly Check[];

/** Every key of `shape` is there, and what it says. */
function assertShape(value: Record<string, unknown>, shape: Record<string, Check>): void {
  for (const [key, check] of Object.entries(shape)) {
    ok(key in value, `${key} is missing in ${JSON.stringify(value)}`);
    ok(holds(value[key], check), `${key} is ${JSON.stringify(value[key])}, not ${String(check)}`);
  }
  for (const key of Object.keys(value)) match(key, /^[a-z0-9]+(_[a-z0-9]+)*$/, "keys are snake_case");
}

function holds(value: unknown, check: Check): boolean {
  if (Array.isArray(check)) return check.some((each) => holds(value, each));
  if (check instanceof RegExp) return typeof value === "string" && check.test(value);
  switch (check) {
    case "id":
      return typeof value === "string" && ID.test(value);
    case "time":
      return typeof value === "string" && TIME.test(value);
    case "count":
      return Number.isSafeInteger(value) && (value as number) >= 0;
    case "seconds":
      return typeof value === "number" && value >= 0;
    case "text":
      return typeof value === "string";
    case "null":
      return value === null;
    case "list":
      return Array.isArray(value);
    default:
      return typeof value === "boolean";
  }
}

/** Every line is a value with a type; the last is the summary. */
function summaryOf(ended: Ended): Record<string, unknown> {
  const lines = ended.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const { type } of lines) ok(["progress", "warning", "error", "summary"].includes(type), type);
  deepEqual(lines.map(({ type }) => type).indexOf("summary"), lines.length - 1);
  return lines.at(-1);
}

const BACKUP: Record<string, Check> = {
  snapshot_id: ["id", "null"],
  parent_id: ["id", "null"],
  mode: /^(full|incremental|differential)$/,
  files_new: "count",
  files_changed: "count",
  files_unmodified: "count",
  files_failed: "count",
  dirs_new: "count",
  dirs_changed: "count",
  dirs_unmodified: "count",
  files_processed: "count",
  bytes_processed: "count",
  bytes_added: "count",
  bytes_stored: "count",
  chunks_new: "count",
  duration_seconds: "seconds",
  plugins: "list",
  processing: "list",
  notifications: "list",
};

const SNAPSHOT: Record<string, Check> = {
  id: "id",
  short_id: /^[0-9a-f]{8,32}$/,
  time: "time",
  host: "text",
  user: "text",
  paths: "list",
  tags: "list",
  mode: "text",
  parent_id: ["id", "null"],
  files: "count",
  bytes: "count",
  tool_version: /^\d+\.\d+\.\d+/,
};

const ENTRY: Record<string, Check> = {
  path: "text",
  type: /^(file|dir|symlink|fifo|socket|chardev|blockdev)$/,
  size: ["count", "null"],
  mode: "count",
  uid: "count",
  gid: "count",
  user: ["text", "null"],
  group: ["text", "null"],
  mtime: "time",
  ctime: "time",
  inode: /^\d+$/,
  links: "count",
  target: ["text", "null"],
  xattrs: "list",
};

const RESTORE: Record<string, Check> = {
  notifications: "list",
  snapshot_id: "id",
  files_restored: "count",
  files_unchanged: "count",
  files_skipped: "count",
  files_deleted: "count",
  files_failed: "count",
  bytes_restored: "count",
  bytes_written: "count",
  duration_seconds: "seconds",
};

Deno.test(
  "every result has its keys",
  onMachine(async (machine: Machine, t) => {
    const source = machine.path("source");
    writeSmallSource(source);
    const run = async (...args: string[]) => {
      const ended = await machine.run([...args, "--json"]);
      equal(ended.code, 0, ended.stderr);
      equal(ended.stderr, "");
      return ended;
    };
    await t.step("init", async () => {
      assertShape((await run("init")).json(), { repository_id: "id", location: "text", format_version: "count" });
    });
    await t.step("backup", async () => assertShape(summaryOf(await run("backup", source)), BACKUP));
    await t.step("backup --dry-run", async () => {
      const summary = summaryOf(await run("backup", source, "--dry-run", "--mode", "full"));
      assertShape(summary, { ...BACKUP, snapshot_id: "null", mode: /^full$/ });
    });
    await t.step("snapshots", async () => {
      const list = (await run("snapshots")).json();
      equal(list.length, 1);
      assertShape(list[0], SNAPSHOT);
    });
    await t.step("ls", async () => {
      const list = (await run("ls", "latest")).json();
      ok(list.length > 8);
      for (const entry of list) assertShape(entry, ENTRY);
    });
    await t.step("find", async () => {
      const [hit] = (await run("find", "noise")).json();
      assertShape(hit, {
        path: "text",
        type: "text",
        mode: "count",
        size: "count",
        mtime: "time",
        snapshot_ids: "list",
      });
    });
    await t.step("diff", async () => {
      const { changes, statistics } = (await run("diff", "latest", "latest")).json();
      deepEqual(changes, []);
      assertShape(statistics, { content_changed: "count", metadata_changed: "count", type_changed: "count" });
    });
    await t.step("restore", async () => {
      assertShape(summaryOf(await run("restore", "latest", "--target", machine.path("out"))), RESTORE);
    });
    await t.step("check", async () => {
      const keys: Record<string, Check> = {
        packs_checked: "count",
        snapshots_checked: "count",
        bytes_read: "count",
        errors: "list",
        notifications: "list",
      };
      assertShape(summaryOf(await run("check")), keys);
    });
    await t.step("stats, key list, cache list, config, doctor, version, help", async () => {
      assertShape((await run("stats")).json(), { mode: "text", files: "count", bytes: "count" });
      const slot: Record<string, Check> = { id: "id", label: "text", created: "time", current: "boolean" };
      assertShape((await run("key", "list")).json()[0], slot);
      assertShape((await run("cache", "list")).json(), { folder: "text", repositories: "list" });
      assertShape((await run("config", "validate")).json(), { valid: "boolean", files: "list", profile: "null" });
      const option = (await run("config", "show")).json().options["backup.mode"];
      deepEqual(option, { value: "incremental", origin: "default" });
      assertShape((await run("doctor")).json()[0], {
        name: "text",
        state: "text",
        message: "text",
        advice: ["text", "null"],
      });
      assertShape((await run("version")).json(), { version: "text", format_version: "count" });
      assertShape((await run("help", "backup")).json(), { name: "text", flags: "list", examples: "list" });
    });
  }),
);

Deno.test(
  "an error is the last line, with its kind, hint and exit code; one of a file comes before the summary",
  onMachine(async (machine) => {
    const shape: Record<string, Check> = {
      type: /^error$/,
      kind: "text",
      message: /^Cannot /,
      hint: ["text", "null"],
      exit_code: "count",
    };
    const missing = await machine.run(["snapshots", "--json"]);
    assertShape(missing.last(), { ...shape, kind: /^repository_missing$/ });
    deepEqual([missing.code, missing.last().exit_code], [10, 10]);
    equal((await machine.run(["init"])).code, 0);
    writeSmallSource(machine.path("source"));
    const partly = await machine.run(["backup", "source", "gone", "--json"]);
    equal(partly.code, 3);
    const lines = partly.stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
    const error = lines.find(({ type }) => type === "error");
    assertShape(error, { ...shape, kind: /^source_missing$/, path: "text" });
    deepEqual([error.exit_code, lines.at(-1).type, lines.at(-1).files_failed], [3, "summary", 1]);
    const wrong = await machine.run(["backup", "--json", "--mode", "some", "source"]);
    deepEqual([wrong.code, wrong.last().kind], [2, "usage"]);
  }),
);

Deno.test({
  name: "a name that is not UTF-8 comes as its bytes and something to read",
  ignore: Deno.build.os !== "linux",
  fn: onMachine(async (machine) => {
    const make = `mkdir source && printf x > "source/$(printf 'a\\377\\nb')"`;
    await new Deno.Command("sh", { args: ["-c", make], cwd: machine.folder }).output();
    equal((await machine.run(["init"])).code, 0);
    equal((await machine.run(["backup", "source"])).code, 0);
    const list = (await machine.run(["ls", "latest", "--json"])).json();
    const path = list.at(-1).path;
    equal(atob(path.base64), `${machine.folder}/source/a\xff\nb`);
    equal(path.display, `${machine.folder}/source/a\\xff\\x0ab`);
  }),
});
