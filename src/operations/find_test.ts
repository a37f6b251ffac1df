import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import type { AxiomEvent } from "../base/events.ts";
import { compareNames } from "../base/names.ts";
import { withFolder } from "../../tests/faults/test_repository.ts";
import { editedFolder, ODD_NAMES } from "../../tests/fixtures/arbitrary_trees.ts";
import { MemoryRepository } from "../../tests/fixtures/memory_repository.ts";
import { type EntrySpec, fakeContent, type FolderSpec } from "../../tests/fixtures/memory_trees.ts";
import { findEntries, type FindHit, type FindOptions } from "./find.ts";
import { type FindPattern, parsePattern } from "./find_pattern.ts";
import { pathHistory } from "./history.ts";
import { PathMatcher } from "./path_matcher.ts";
import { walkTree } from "./tree_walk.ts";

const context = {
  /** Nothing here is damaged, and the catalogue is always to be had. */
  onEvent: (event: AxiomEvent) => ok(event.type === "verbose", JSON.stringify(event)),
};

function folder(entries: Record<string, EntrySpec>): FolderSpec {
  return new Map(Object.entries(entries));
}

function globs(...texts: string[]): FindPattern[] {
  return texts.map((text) => ({ text, kind: "glob" }));
}

type Search = Partial<FindOptions> & Pick<FindOptions, "patterns">;

async function find(memory: MemoryRepository, options: Search): Promise<FindHit[]> {
  return await Array.fromAsync(findEntries(memory.repository, { ignoreCase: false, ...options }, context));
}

function matchesPath(pattern: FindPattern, path: string, ignoreCase = false): boolean {
  const matcher = new PathMatcher([parsePattern(pattern, ignoreCase)]);
  let state = matcher.start;
  const names = path.split("/").slice(1);
  for (const [i, name] of names.entries()) {
    const { matches, below } = matcher.step(state, name);
    if (i === names.length - 1) return matches;
    if (below === undefined) return false;
    state = below;
  }
  return false;
}

Deno.test("patterns match names, or paths if they have a /", async (t) => {
  const cases: { pattern: string; yes: string[]; no: string[] }[] = [
    { pattern: "a", yes: ["/a", "/x/a"], no: ["/ab", "/a/b", "/A"] },
    { pattern: "*.txt", yes: ["/a.txt", "/x/.txt", "/new\nline.txt"], no: ["/a.txt/b", "/a.tx", "/a.txtx"] },
    { pattern: "a*b*c", yes: ["/abc", "/a__b__c"], no: ["/ab", "/acb"] },
    { pattern: "?", yes: ["/a", "/é", "/\u{1f600}", "/\udcff", "/\n"], no: ["/ab", "/e\u0301"] },
    { pattern: "[a-cx]", yes: ["/a", "/b", "/x"], no: ["/d", "/-"] },
    { pattern: "[!a]b", yes: ["/xb"], no: ["/ab", "/b"] },
    { pattern: "[^a]b", yes: ["/xb"], no: ["/ab"] },
    { pattern: "[]]", yes: ["/]"], no: ["/["] },
    { pattern: "[a-]", yes: ["/a", "/-"], no: ["/b"] },
    { pattern: "[\\]x]", yes: ["/]", "/x"], no: ["/\\"] },
    { pattern: "a(1)+b.c$", yes: ["/a(1)+b.c$"], no: ["/a1b.c$", "/a(1)+bxc$"] },
    { pattern: "\\*", yes: ["/*"], no: ["/a", "/\\*"] },
    { pattern: "{a,b}", yes: ["/{a,b}"], no: ["/a"] },
    { pattern: "**", yes: ["/a", "/a/b"], no: [] },
    { pattern: "/a", yes: ["/a"], no: ["/x/a"] },
    { pattern: "/a/*.c", yes: ["/a/x.c"], no: ["/a/b/x.c", "/b/a/x.c"] },
    { pattern: "a/*.c", yes: ["/a/x.c", "/b/a/x.c"], no: ["/a/b/x.c"] },
    { pattern: "/a/**/c", yes: ["/a/c", "/a/b/c", "/a/b/b/c"], no: ["/c", "/a", "/a/c/d"] },
    { pattern: "/a/**", yes: ["/a/b", "/a/b/c"], no: ["/a", "/b"] },
    { pattern: "b/**/c/d", yes: ["/b/c/d", "/a/b/x/c/d", "/b/c/c/d"], no: ["/c/d", "/b/d"] },
    { pattern: "a/", yes: ["/a"], no: ["/b"] },
  ];
  for (const { pattern, yes, no } of cases) {
    await t.step(pattern, () => {
      for (const path of yes) ok(matchesPath({ text: pattern, kind: "glob" }, path), `${pattern} ${path}`);
      for (const path of no) ok(!matchesPath({ text: pattern, kind: "glob" }, path), `${pattern} ${path}`);
    });
  }
});

Deno.test("words are looked for anywhere in a name, in any case and order", () => {
  const words = (text: string, path: string) => matchesPath({ text, kind: "text" }, path);
  ok(words("report pdf", "/x/Annual Report.PDF"));
  ok(words("PDF report", "/x/Annual Report.pdf"));
  ok(words("É", "/é"));
  ok(words("a.b", "/xa.bx"));
  ok(!words("a.b", "/axb"));
  ok(!words("report doc", "/Report.pdf"));
  ok(!words("report", "/report/x"));
});

Deno.test("case counts unless it is to be ignored", () => {
  ok(!matchesPath({ text: "*.JPG", kind: "glob" }, "/a.jpg"));
  ok(matchesPath({ text: "*.JPG", kind: "glob" }, "/a.jpg", true));
  ok(matchesPath({ text: "/ÄB/[x-z]", kind: "glob" }, "/äb/Y", true));
});

Deno.test("patterns that can match nothing are refused", () => {
  for (const text of ["", "/", "//", ".", "a/../b", "[a", "a\\", "[z-a]", "a\0b", "x".repeat(5000)]) {
    throws(() => parsePattern({ text, kind: "glob" }, false), { kind: "usage" }, JSON.stringify(text));
  }
  for (const text of ["", " ", "a/b"]) throws(() => parsePattern({ text, kind: "text" }, false), { kind: "usage" });
});

/** What `find` must give, by walking through each snapshot for itself. */
async function expectedHits(memory: MemoryRepository, pattern: FindPattern, ignoreCase: boolean): Promise<string[]> {
  const hits = new Map<string, { shown: string; numbers: number[] }>();
  for (const [number, { snapshot }] of memory.snapshots.entries()) {
    for await (const { path, entry } of walkTree(memory.trees.reader, snapshot.root, "/", context)) {
      if (!matchesPath(pattern, path, ignoreCase)) continue;
      const { type, mode, mtime, content, target, rdev } = entry;
      const shown = JSON.stringify([path, type, mode, entry.size === undefined ? null : Number(entry.size), mtime]);
      const key = JSON.stringify([shown, content, target, rdev]);
      const hit = hits.get(key) ?? { shown, numbers: [] };
      hit.numbers.push(number);
      hits.set(key, hit);
    }
  }
  return [...hits.values()].map(({ shown, numbers }) => `${shown} ${numbers}`).sort();
}

function shown(memory: MemoryRepository, hits: readonly FindHit[]): string[] {
  const numbers = new Map(memory.snapshots.map(({ id }, number) => [id, number]));
  return hits.map(({ path, type, mode, sizeBytes, mtimeNs, snapshotIds }) =>
    `${JSON.stringify([path, type, mode, sizeBytes ?? null, mtimeNs])} ${snapshotIds.map((id) => numbers.get(id))}`
  );
}

const patternArbitrary: fc.Arbitrary<FindPattern> = fc.oneof(
  fc.constantFrom(...ODD_NAMES).map((name) => ({ text: name.replace(/[*?[\\]/g, "\\$&"), kind: "glob" as const })),
  fc.constantFrom(
    "*",
    "?",
    "*x*",
    "a*",
    "*.txt",
    "**",
    "/**",
    "/a/**",
    "/*/a",
    "/a",
    "a/b.txt",
    "/**/a/**/b.txt",
    "[!a]",
  )
    .map((text) => ({ text, kind: "glob" as const })),
  fc.constantFrom("a", "B", "xx", "TXT b", "é").map((text) => ({ text, kind: "text" as const })),
);

Deno.test("find by the catalogue, find by the trees, and the listings of all snapshots agree", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(editedFolder(3), { minLength: 1, maxLength: 3 }),
      fc.array(patternArbitrary, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      async (pairs, patterns, ignoreCase) => {
        const memory = new MemoryRepository();
        await withFolder(async (cache) => {
          for (const spec of pairs.flat()) {
            memory.snapshots.push(await memory.trees.snapshot(spec));
            const pattern = patterns[memory.snapshots.length % patterns.length];
            const expected = await expectedHits(memory, pattern, ignoreCase);
            const byTrees = await find(memory, { patterns: [pattern], ignoreCase });
            const byCatalogue = await find(memory, { patterns: [pattern], ignoreCase, cache });
            deepEqual(byCatalogue, byTrees);
            deepEqual(shown(memory, byTrees).sort(), expected);
            const paths = byTrees.map(({ path }) => path);
            deepEqual(paths, paths.toSorted(comparePaths));
          }
        });
      },
    ),
    { numRuns: 40 },
  );
});

function comparePaths(a: string, b: string): number {
  const [left, right] = [a.split("/"), b.split("/")];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareNames(left[i], right[i]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

async function withSnapshots(run: (memory: MemoryRepository, cache: string) => Promise<void>): Promise<void> {
  const memory = new MemoryRepository();
  const about = [{ host: "one", tags: ["a"] }, { host: "one" }, { host: "two" }];
  for (const [i, { host, tags = [] }] of about.entries()) {
    const notes = { ...fakeContent("x".repeat(10 * i)), mtime: String(1_000_000_000n * BigInt(i)), mode: 0o600 + i };
    const home = folder({ "notes.txt": notes, "same.txt": fakeContent("same"), "pic.JPG": { type: "symlink" } });
    const spec = folder({ home: { children: home }, [`only-${i}`]: { children: folder({}) } });
    memory.snapshots.push(await memory.trees.snapshot(spec, { host, tags }));
  }
  await withFolder((cache) => run(memory, cache));
}

Deno.test("conditions and filters narrow what is found, with and without the catalogue", async () => {
  await withSnapshots(async (memory, cache) => {
    const cases: { options: Search; found: string[] }[] = [
      { options: { patterns: globs("same.txt") }, found: ["/home/same.txt 0,1,2"] },
      { options: { patterns: globs("notes*") }, found: [0, 1, 2].map((i) => `/home/notes.txt ${i}`) },
      { options: { patterns: globs("*.jpg"), ignoreCase: true }, found: ["/home/pic.JPG 0,1,2"] },
      { options: { patterns: globs("only-*"), types: ["dir"] }, found: [0, 1, 2].map((i) => `/only-${i} ${i}`) },
      { options: { patterns: globs("*"), types: ["symlink"] }, found: ["/home/pic.JPG 0,1,2"] },
      { options: { patterns: globs("*.txt"), sizeBytesMin: 10, sizeBytesMax: 10 }, found: ["/home/notes.txt 1"] },
      {
        options: { patterns: globs("notes.txt"), newerThanNs: "1000000000" },
        found: ["/home/notes.txt 1", "/home/notes.txt 2"],
      },
      { options: { patterns: globs("notes.txt"), olderThanNs: "1000000000" }, found: ["/home/notes.txt 0"] },
      {
        options: { patterns: globs("*.txt"), filter: { hosts: ["two"] } },
        found: ["/home/notes.txt 2", "/home/same.txt 2"],
      },
      { options: { patterns: globs("same*"), filter: { tags: [["a"]] } }, found: ["/home/same.txt 0"] },
      { options: { patterns: globs("same*"), names: ["latest"] }, found: ["/home/same.txt 2"] },
      {
        options: { patterns: globs("/home/notes.txt", "/only-1") },
        found: [0, 1, 2].map((i) => `/home/notes.txt ${i}`).concat("/only-1 1"),
      },
      { options: { patterns: globs("nothing") }, found: [] },
      { options: { patterns: globs("same*"), filter: { hosts: ["nobody"] } }, found: [] },
    ];
    for (const { options, found } of cases) {
      for (const way of [undefined, cache]) {
        const hits = await find(memory, { ...options, cache: way });
        const numbers = (ids: readonly string[]) =>
          ids.map((id) => memory.snapshots.findIndex((each) => each.id === id));
        deepEqual(hits.map(({ path, snapshotIds }) => `${path} ${numbers(snapshotIds)}`), found);
      }
    }
    await rejects(find(memory, { patterns: [] }), { kind: "usage" });
    await rejects(find(memory, { patterns: globs("a"), names: ["nosuchid"] }), { kind: "snapshot_missing" });
  });
});

Deno.test("the history of a path: its versions with the first and last snapshot that have them", async () => {
  await withSnapshots(async (memory, cache) => {
    const ids = memory.snapshots.map(({ id }) => id);
    for (const way of [undefined, cache]) {
      const history = (path: string) => pathHistory(memory.repository, { path, cache: way }, context);
      deepEqual(await history("/home/same.txt"), [
        { type: "file", mode: 0o644, sizeBytes: 4, mtimeNs: "0", firstId: ids[0], lastId: ids[2], snapshotIds: ids },
      ]);
      const versions = await history("home/notes.txt/");
      deepEqual(versions.map(({ sizeBytes, mode, firstId, lastId }) => [sizeBytes, mode, firstId, lastId]), [
        [0, 0o600, ids[0], ids[0]],
        [10, 0o601, ids[1], ids[1]],
        [20, 0o602, ids[2], ids[2]],
      ]);
      deepEqual(await history("/home/none"), []);
      deepEqual(await history("/home/*"), []);
      await rejects(history("/"), { kind: "usage" });
    }
  });
});

Deno.test("a catalogue that breaks in the middle changes nothing of what is found", async () => {
  await withSnapshots(async (memory, cache) => {
    const options = { patterns: globs("**"), ignoreCase: false };
    const expected = await find(memory, options);
    ok(expected.length > 5);
    await find(memory, { ...options, cache });
    const codes: string[] = [];
    const onEvent = (event: AxiomEvent) => void (event.type === "warning" && codes.push(event.code));
    const hits = findEntries(memory.repository, { ...options, cache }, { onEvent });
    const found = [(await hits.next()).value as FindHit];
    const file = `${cache}/${memory.id}/catalogue.sqlite`;
    await breakTable(file, "entries");
    for await (const hit of hits) found.push(hit);
    deepEqual(found, expected);
    deepEqual(codes, ["catalogue_unavailable"]);
    deepEqual(await find(memory, { ...options, cache }), expected);
    await breakTable(file, "name_search");
    const byName = { patterns: globs("same.txt"), ignoreCase: false, cache };
    equal((await Array.fromAsync(findEntries(memory.repository, byName, { onEvent }))).length, 1);
    deepEqual(codes, ["catalogue_unavailable", "catalogue_unavailable"]);
    equal((await find(memory, byName)).length, 1);
  });
});

async function breakTable(file: string, table: string): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(file);
  database.exec(`DROP TABLE ${table}`);
  database.close();
}

Deno.test("find names folders that cannot be read, with and without the catalogue; ends when told to", async () => {
  await withSnapshots(async (memory, cache) => {
    const lost = memory.snapshots[0].snapshot.root;
    memory.trees.documents.delete(lost);
    for (const way of [undefined, cache]) {
      const events: AxiomEvent[] = [];
      const onEvent = (event: AxiomEvent) => void (event.type !== "verbose" && events.push(event));
      const options = { patterns: globs("same.txt"), ignoreCase: false, cache: way };
      const hits = await Array.fromAsync(findEntries(memory.repository, options, { onEvent }));
      deepEqual(hits.map(({ snapshotIds }) => snapshotIds), [memory.snapshots.slice(1).map(({ id }) => id)]);
      equal(events.length, 1, JSON.stringify(events));
      const signal = AbortSignal.abort();
      await rejects(Array.fromAsync(findEntries(memory.repository, options, { onEvent, signal })), {
        kind: "interrupted",
      });
    }
  });
});
