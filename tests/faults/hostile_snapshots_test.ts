/** Snapshots that no program of ours would write, made by somebody who has the keys. */
import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { encodeJson, type Json } from "../../src/base/canonical_json.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { backupSource } from "../../src/operations/backup.ts";
import { check } from "../../src/operations/check.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { errorOf } from "../fixtures/tampering.ts";
import { inProcessPool } from "./in_process_pool.ts";
import { bringBack, emptyRepository, type Events, IDENTITY, opened, STYLE, withFolder } from "./test_repository.ts";

type Put = (document: Json | string) => Promise<string>;

const empty = await emptyRepository();
const context = { pool: () => inProcessPool(), onEvent: () => {} };

/** A snapshot whose root is what `make` puts. */
async function planted(make: (put: Put) => Promise<string>, events?: Events): Promise<[Repository, StoredSnapshot]> {
  const store = memoryStore();
  store.restore(empty);
  const repository = await opened(store, events);
  await backupSource(
    repository,
    {
      isRepeatable: false,
      begin: (nowNs) => nowNs,
      paths: () => ["/"],
      save: ({ metadata }) =>
        make((document) => metadata.put(typeof document === "string" ? utf8(document) : encodeJson(document))),
    },
    { mode: "full", tags: [], dryRun: false, metadataStyle: STYLE },
    { ...context, files: undefined!, identity: IDENTITY },
  );
  const [snapshot] = (await repository.snapshots()).snapshots;
  return [repository, snapshot];
}

const ABOUT = { mode: 0o755, uid: 0, gid: 0, mtime: "0", ctime: "0", inode: "1" };
const file = (name: string, more = {}) => ({ ...ABOUT, name, type: "file", size: "0", ...more });
const folder = (name: string, subtree: string) => ({ ...ABOUT, name, type: "dir", subtree });
const link = (name: string, target: string) => ({ ...ABOUT, name, type: "symlink", target });
const leaf = (...entries: Json[]) => ({ entries, version: 1 });

/** What is below a folder, without following links. */
function below(path: string): string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? [name, ...below(`${path}/${name}`).map((child) => `${name}/${child}`)] : [name]
  ).sort();
}

Deno.test("(29) no name leads out of the target", async (t) => {
  const names = [
    "..",
    ".",
    "",
    "/etc",
    "../x",
    "a/b",
    "a/../../x",
    "..\0",
    "\0",
    "x".repeat(5000),
    7 as unknown as string,
  ];
  for (const name of names) {
    await t.step(JSON.stringify(name).slice(0, 20), async () => {
      for (const make of [file, (name: string) => link(name, "/etc"), (name: string) => folder(name, "0".repeat(64))]) {
        await withFolder(async (top) => {
          const [repository, snapshot] = await planted(async (put) =>
            await put(leaf(folder("beside", await put(leaf(make(name) as Json))), file("good")))
          );
          const { filesFailed } = await bringBack(repository, snapshot, "/", `${top}/target`);
          equal(filesFailed, 1);
          deepEqual(below(top), ["target", "target/beside", "target/good"]);
          const { errors } = await check(repository, {}, context);
          deepEqual(errors.map(({ affected }) => affected.map(({ path }) => path)), [["/beside"]]);
        });
      }
    });
  }
});

Deno.test("(29) a link and a folder of one name write nothing through the link", async (t) => {
  const inside = async (put: Put) => await put(leaf(file("pwned")));
  const cases: [name: string, make: (put: Put, out: string) => Promise<string>][] = [
    ["in one document", async (put, out) => await put(leaf(link("x", out), folder("x", await inside(put))))],
    ["the other way round", async (put, out) => await put(leaf(folder("x", await inside(put)), link("x", out)))],
    ["in two documents", async (put, out) => {
      const [first, second] = [await put(leaf(link("x", out))), await put(leaf(folder("x", await inside(put))))];
      return await put({ children: [{ first: "w", id: first }, { first: "x", id: second }], version: 1 });
    }],
    ["the link was there before", async (put) => await put(leaf(folder("x", await inside(put))))],
    ["a file in place of a link that was there", async (put) => await put(leaf(file("x")))],
  ];
  for (const [name, make] of cases) {
    await t.step(name, async () => {
      await withFolder(async (top) => {
        const [outside, target] = [`${top}/outside`, `${top}/target`];
        Deno.mkdirSync(outside);
        Deno.mkdirSync(target);
        Deno.writeTextFileSync(`${outside}/mine`, "mine");
        if (name.includes("there")) Deno.symlinkSync(outside, `${target}/x`);
        const [repository, snapshot] = await planted((put) => make(put, outside));
        await bringBack(repository, snapshot, "/", target, { delete: true }).catch(() => {});
        deepEqual(below(outside), ["mine"]);
        equal(Deno.readTextFileSync(`${outside}/mine`), "mine");
      });
    });
  }
});

Deno.test("a document that makes no sense is what is damaged, and not the pack whose bytes are right", async (t) => {
  const cases: [name: string, document: Json | string][] = [
    ["no JSON", "{"],
    ["a version of the future", { entries: [], version: 2 }],
    ["neither entries nor children", { version: 1 }],
    ["a child that is null", { children: [null], version: 1 }],
    ["names twice", leaf(file("a"), file("a"))],
    ["a name that stands for no bytes", leaf(file("\ud800"))],
    ["two of them", leaf(file("\ud800"), file("\ud801"))],
    ["an attribute that is no base64", leaf(file("a", { xattrs: [{ name: "user.a", value: "%" }] }))],
    ["an owner beyond all numbers", leaf(file("a", { uid: 2 ** 40 }))],
  ];
  for (const [name, document] of cases) {
    await t.step(name, async () => {
      let bad = "";
      const [repository, snapshot] = await planted(async (put) => {
        bad = await put(document);
        return await put(leaf(folder("bad", bad), folder("good", await put(leaf(file("inner"))))));
      });
      const { errors } = await check(repository, {}, context);
      deepEqual(errors.map(({ kind, object }) => [kind, object]), [["tree_damaged", bad]]);
      deepEqual(errors[0].affected.map(({ path }) => path), ["/bad"]);
      ok(errors[0].message.startsWith(`Cannot read the tree ${bad.slice(0, 16)}: `), errors[0].message);
      await withFolder(async (target) => {
        equal((await bringBack(repository, snapshot, "/", target)).filesFailed, 1);
        deepEqual(below(target), ["bad", "good", "good/inner"]);
      });
    });
  }
});

Deno.test("(26) the id of a folder's document is no content of a file", async () => {
  const document = JSON.stringify(leaf(file("inner") as Json));
  const events: Events = [];
  const [repository, snapshot] = await planted(async (put) => {
    const id = await put(document);
    return await put(leaf(file("taken", { size: `${document.length}`, content: { elements: [id] } }), file("z")));
  }, events);
  await withFolder(async (target) => {
    const { filesFailed } = await bringBack(repository, snapshot, "/", target);
    deepEqual([filesFailed, below(target)], [1, ["z"]]);
  });
  const { errors } = await check(repository, {}, context);
  deepEqual(errors.map(({ kind }) => kind), ["chunk_missing"]);
});

Deno.test("(40) contents that are absurd end their file, before time or memory is spent on them", async (t) => {
  const many = <T>(value: T) => Array.from({ length: 1000 }, () => value);
  const HUGE = `${2 ** 53 - 2}`;
  /** A list of 1000 holes, listed 1000 times, and so on: 10^18 holes. */
  const bomb = async (put: Put, hole: string) => {
    let id = await put(many({ hole }));
    for (let depth = 1; depth < 6; depth++) id = await put(many(id));
    return { nodes: [id], depth: 6 };
  };
  const cases: [name: string, make: (put: Put) => Promise<Record<string, unknown>>][] = [
    ["more holes than the size", async (put) => ({ size: "5000", content: await bomb(put, "1") })],
    ["holes of nothing", async (put) => ({ size: "5000", content: await bomb(put, "0") })],
    [
      "a hole beyond all numbers",
      () => Promise.resolve({ size: "1", content: { elements: [{ hole: "9".repeat(20) }] } }),
    ],
    [
      "larger than most file systems allow",
      () => Promise.resolve({ size: HUGE, content: { elements: [{ hole: HUGE }] } }),
    ],
    ["a size that is no number", () => Promise.resolve({ size: "9".repeat(20), content: { elements: [] } })],
    ["a list that is not JSON", async (put) => ({ size: "1", content: { nodes: [await put("{")], depth: 1 } })],
    [
      "a list of lists that is not JSON",
      async (put) => ({ size: "1", content: { nodes: [await put("{")], depth: 2 } }),
    ],
    ["a list of something else", async (put) => ({ size: "1", content: { nodes: [await put([1])], depth: 1 } })],
    ["lists in lists", async (put) => ({ size: "1", content: { nodes: [await put([])], depth: 9 } })],
  ];
  for (const [name, make] of cases) {
    await t.step(name, async () => {
      const [repository, snapshot] = await planted(async (put) => {
        const inner = await put(leaf(file("absurd", await make(put)) as Json));
        return await put(leaf(folder("folder", inner), file("good")));
      });
      await withFolder(async (target) => {
        const { filesFailed } = await bringBack(repository, snapshot, "/", target);
        if (name !== "larger than most file systems allow") equal(filesFailed, 1);
        ok(below(target).includes("good"));
      });
      const { errors } = await check(repository, {}, context);
      ok(errors.length === 1 || name === "larger than most file systems allow", JSON.stringify(errors));
    });
  }
});

Deno.test("what a restore fails at is found, though another file has the same list of content", async () => {
  const [repository, snapshot] = await planted(async (put) => {
    const content = { nodes: [await put([{ hole: "5" }])], depth: 1 };
    const bad = [file("b", { size: "6", content }), file("c", { size: "10", content })];
    return await put(leaf(file("a", { size: "5", content }), ...bad));
  });
  await withFolder(async (target) => {
    equal((await bringBack(repository, snapshot, "/", target)).filesFailed, 2);
    deepEqual(below(target), ["a"]);
  });
  const { errors } = await check(repository, {}, context);
  deepEqual(errors.map(({ affected }) => affected.map(({ path }) => path)), [["/b"], ["/c"]]);
});

Deno.test("(40) index nodes in index nodes without end are refused", async () => {
  const [repository, snapshot] = await planted(async (put) => {
    let id = await put(leaf());
    for (let depth = 0; depth < 10; depth++) id = await put({ children: [{ first: "a", id }], version: 1 });
    return id;
  });
  await withFolder(async (target) => {
    const error = await errorOf(bringBack(repository, snapshot, "/", target));
    equal(error.kind, "data_damaged");
  });
});
