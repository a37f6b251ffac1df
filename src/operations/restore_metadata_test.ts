import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { errorOf } from "../../tests/fixtures/tampering.ts";
import { AxiomError } from "../base/errors.ts";
import { KIB, toBase64, utf8 } from "../base/bytes.ts";
import type { Entry, EntryXattr } from "../model/entry.ts";
import { TreeReader } from "../repository/tree_reader.ts";
import { metadataOf } from "./restore_metadata.ts";

function entryWith(xattrs: EntryXattr[] | undefined): Entry {
  const own = { name: "f", mode: 0o640, uid: 1, gid: 2, mtime: "3", ctime: "4", inode: "5" };
  return { ...own, type: "fifo", ...(xattrs === undefined ? {} : { xattrs }) };
}

Deno.test("metadataOf() joins attributes from the entry and from documents", async () => {
  const trees = new TreeReader((id) => Promise.resolve(utf8(`<${id}>`)));
  const value = toBase64(utf8("short"));
  const entry = entryWith([
    { name: "user.a", value },
    { name: "user.b", chunks: ["1", "2"] },
    { name: "user.c", value, chunks: ["3"] },
  ]);
  const { xattrs, ...rest } = await metadataOf(entry, trees, true);
  deepEqual(rest, { mode: 0o640, uid: 1, gid: 2, mtimeNs: "3" });
  const texts = xattrs!.map(({ name, value }) => `${name} ${new TextDecoder().decode(value)}`);
  deepEqual(texts, ["user.a short", "user.b <1><2>", "user.c short"]);
  deepEqual(await metadataOf(entryWith(undefined), trees, false), { mode: 0o640, mtimeNs: "3", xattrs: [] });
});

Deno.test("metadataOf() lends no rights of an owner that cannot be set", async () => {
  const trees = new TreeReader(() => Promise.reject(new Error("no document")));
  const cases: [uid: number, gid: number, type: "file" | "dir", mode: number, told: number][] = [
    [7, 8, "file", 0o6755, 0],
    [0, 8, "file", 0o2755, 1],
    [7, 0, "file", 0o4755, 1],
    [0, 0, "file", 0o755, 1],
    [0, 0, "dir", 0o2755, 1],
  ];
  for (const [uid, gid, type, mode, told] of cases) {
    let others = 0;
    const restorer = { uid: 7, gid: 8, onOther: () => others++ };
    const entry: Entry = { ...entryWith(undefined), type, uid, gid, mode: 0o6755 };
    deepEqual([(await metadataOf(entry, trees, restorer)).mode, others], [mode, told], `${uid}:${gid} ${type}`);
  }
});

Deno.test("(43) metadataOf() passes on that a document is gone or damaged", async () => {
  for (const kind of ["object_missing", "data_damaged"] as const) {
    const trees = new TreeReader(() => Promise.reject(new AxiomError(kind, "Cannot read the chunk")));
    const error = await errorOf(metadataOf(entryWith([{ name: "user.a", chunks: ["1"] }]), trees, true));
    equal(error.kind, kind);
  }
});

Deno.test("(40) metadataOf() takes no more memory than the format allows, however much an entry names", async () => {
  let reads = 0;
  const trees = new TreeReader(() => (reads++, Promise.resolve(new Uint8Array(256 * KIB))));
  const chunks = Array.from({ length: 100_000 }, (_, i) => String(i));
  const error = await errorOf(metadataOf(entryWith([{ name: "user.a", chunks }]), trees, true));
  equal(error.kind, "limit_exceeded");
  ok(error.hint);
  equal(reads, 257);
});
