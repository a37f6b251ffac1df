import { deepEqual, equal, rejects } from "node:assert/strict";
import type { ListedEntry } from "../operations/listed_entry.ts";
import { entryJson, entryLine, modeText } from "./entry_text.ts";
import { listen } from "./heard.ts";
import { ListOutput } from "./list_output.ts";
import { Output, OutputClosed } from "./output.ts";
import { brokenPipe, fakeEnvironment } from "./testing.ts";
import { count, grouped } from "./wording.ts";

function outputTo(environment = fakeEnvironment()) {
  const { stdout, stderr, clock, variable } = environment;
  const settings = { stdout, stderr, clock, variable, json: false, stream: false, progress: false, verbosity: 0 };
  return { output: new Output(settings), stdout };
}

async function listed(json: boolean, items: number[], open?: string, close?: string): Promise<string> {
  const { output, stdout } = outputTo();
  const list = new ListOutput(output, json, open);
  for (const item of items) await list.add(() => `item ${item}`, () => ({ item }));
  await list.end(close, json ? undefined : "the end");
  return stdout.text;
}

Deno.test("a list is lines for people and one value for programs, however long", async () => {
  equal(await listed(false, [1, 2]), "item 1\nitem 2\nthe end\n");
  equal(await listed(true, []), "[]\n");
  equal(await listed(true, [1, 2]), '[\n{"item":1},\n{"item":2}\n]\n');
  equal(await listed(true, [1], '{"items":', ',"more":true}'), '{"items":[\n{"item":1}\n],"more":true}\n');
  const many = Array.from({ length: 20_000 }, (_, i) => i);
  deepEqual(JSON.parse(await listed(true, many)).length, 20_000);
});

Deno.test("a list stops when nobody reads it", async () => {
  const { output, stdout } = outputTo();
  stdout.failure = brokenPipe();
  const list = new ListOutput(output, false);
  await list.add(() => "x", () => null);
  await rejects(list.end(), OutputClosed);
});

Deno.test("listen() remembers the worst that was told", () => {
  const seen: string[] = [];
  const heard = listen((event) => seen.push(event.type));
  const tell = (kind: "data_damaged" | "source_unreadable") =>
    heard.onEvent({ type: "error", error: { kind, message: "" } });
  heard.onEvent({ type: "warning", code: "x", message: "" });
  equal(heard.exitCode, 0);
  tell("source_unreadable");
  equal(heard.exitCode, 3);
  tell("data_damaged");
  tell("source_unreadable");
  equal(heard.exitCode, 13);
  deepEqual(seen, ["warning", "error", "error", "error"]);
});

const ENTRY: ListedEntry = {
  path: "/home/a\udcff\n",
  type: "file",
  sizeBytes: 12,
  mode: 0o4755,
  uid: 1000,
  gid: 7,
  user: "ann",
  mtimeNs: "1000000001",
  ctimeNs: "-1",
  inode: "18446744073709551615",
  links: 2,
  xattrs: [{ name: "user.x", value: "eA==" }, { name: "user.y", chunks: ["00"] }],
};

Deno.test("entries are shown as ls does, and as JSON with all that is known", () => {
  const odd = { base64: "L2hvbWUvYf8K", display: "/home/a\\xff\\x0a" };
  deepEqual(entryJson(ENTRY), {
    path: odd,
    type: "file",
    size: 12,
    mode: 0o4755,
    uid: 1000,
    gid: 7,
    user: "ann",
    group: null,
    mtime: "1970-01-01T00:00:01.000000001Z",
    ctime: "1969-12-31T23:59:59.999999999Z",
    inode: "18446744073709551615",
    links: 2,
    target: null,
    device: null,
    xattrs: [{ name: "user.x", value: { base64: "eA==" } }, { name: "user.y", value: null, chunks: ["00"] }],
  });
  const line = entryLine(ENTRY).replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, "TIME");
  equal(line, "-rwsr-xr-x ann      7                  12 TIME /home/a\\xff\\x0a");
  const link = entryLine({ ...ENTRY, type: "symlink", target: "x\ty", path: "/l" });
  equal(link.slice(link.indexOf("/l")), "/l -> x\\x09y");
  const device = entryLine({ ...ENTRY, type: "blockdev", device: [8, 1] });
  equal(device.includes("        8, 1 "), true);
});

Deno.test("modes and numbers read as people know them", () => {
  const modes: [ListedEntry["type"], number, string][] = [
    ["file", 0o644, "-rw-r--r--"],
    ["dir", 0o1777, "drwxrwxrwt"],
    ["dir", 0o1770, "drwxrwx--T"],
    ["file", 0o6711, "-rws--s--x"],
    ["file", 0o6600, "-rwS--S---"],
    ["symlink", 0o777, "lrwxrwxrwx"],
    ["chardev", 0, "c---------"],
  ];
  for (const [type, mode, text] of modes) equal(modeText(type, mode), text);
  deepEqual([1, 0, 2, 1234567].map((number) => count(number, "file")), [
    "1 file",
    "0 files",
    "2 files",
    "1,234,567 files",
  ]);
  equal(grouped(1000), "1,000");
});
