import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Content } from "../model/entry.ts";
import type { StoredSnapshot } from "../repository/snapshots.ts";
import { editedFolder } from "../../tests/fixtures/arbitrary_trees.ts";
import {
  type EntrySpec,
  fakeContent,
  type FolderSpec,
  MemoryTrees,
  storedSnapshot,
} from "../../tests/fixtures/memory_trees.ts";
import { AffectedPaths } from "./check_affected.ts";
import { type CheckError, Findings } from "./check_findings.ts";
import { isDamage } from "./damage.ts";
import { joinPath } from "./listed_entry.ts";
import { listDropped, TreeRepair } from "./tree_repair.ts";
import { TreeSurvey } from "./tree_survey.ts";

/** A survey of trees of which some chunks are lost; every lost chunk is an error of its own. */
function surveyOf(trees: MemoryTrees, isLost: (id: string) => boolean, lengths = new Map<string, number>()) {
  const findings = new Findings(() => {});
  const errors = new Map<string, CheckError>();
  const errorOf = (id: string) => {
    if (!errors.has(id)) errors.set(id, findings.error("chunk_missing", id, `lost ${id}`));
    return errors.get(id)!;
  };
  const survey = new TreeSurvey<CheckError>(trees.reader, {
    need: (id) => isLost(id) ? -1 : trees.documents.get(id)?.length ?? lengths.get(id) ?? 0,
    culprits: (id) => [errorOf(id)],
    unreadable: (id, error) => {
      if (!isDamage(error)) throw error;
      return Promise.resolve([errorOf(id)]);
    },
    senseless: (id) => [errorOf(id)],
    mismatch: (entry, why) => [errorOf(`${entry.name} ${why}`)],
  });
  return { survey, findings, errors };
}

/** What each lost chunk affects, found by walking every path of a snapshot. */
async function affectedNaively(
  trees: MemoryTrees,
  root: string,
  isLost: (id: string) => boolean,
): Promise<string[]> {
  const found: string[] = [];
  const visit = async (id: string, path: string): Promise<void> => {
    if (isLost(id)) return void found.push(`${id} ${path}`);
    const node = await trees.reader.node(id);
    if ("children" in node) {
      for (const child of node.children) await visit(child.id, path);
      return;
    }
    for (const entry of node.entries) {
      const entryPath = joinPath(path, entry.name);
      if (entry.type === "dir") await visit(entry.subtree!, entryPath);
      const ids = (entry.content?.elements ?? []).filter((element) => typeof element === "string");
      for (const lost of new Set(ids.filter(isLost))) found.push(`${lost} ${entryPath}`);
    }
  };
  await visit(root, "/");
  return found.sort();
}

function listed(errors: ReadonlyMap<string, CheckError>, snapshotId: string): string[] {
  const lines: string[] = [];
  for (const [id, { affected }] of errors) {
    for (const { snapshotId: of, path } of affected) if (of === snapshotId) lines.push(`${id} ${path}`);
  }
  return lines.sort();
}

/** As long as what {@linkcode fakeContent} says. */
function contentLengths(folder: FolderSpec, lengths = new Map<string, number>()): Map<string, number> {
  for (const { children, content, size } of folder.values()) {
    if (children !== undefined) contentLengths(children, lengths);
    const [id] = (content as Content | undefined)?.elements ?? [];
    if (typeof id === "string") lengths.set(id, Number(size));
  }
  return lengths;
}

Deno.test("a survey finds what every lost document and chunk affects, and reads each document once", async () => {
  await fc.assert(
    fc.asyncProperty(editedFolder(4), fc.integer(), async ([before, after], choice) => {
      const trees = new MemoryTrees();
      const snapshots = [await trees.snapshot(before), await trees.snapshot(after)];
      const lengths = contentLengths(after, contentLengths(before));
      const isLost = (id: string) => createHash("sha256").update(`${choice}/${id}`).digest()[0] < 40;
      const { survey, findings, errors } = surveyOf(trees, isLost, lengths);
      trees.reads.length = 0;
      for (const { snapshot } of snapshots) await survey.folder(snapshot.root);
      equal(new Set(trees.reads).size, trees.reads.length, "a document was read twice");
      const affected = new AffectedPaths(trees.reader, survey, findings);
      for (const stored of snapshots) {
        await affected.addSnapshot(stored);
        deepEqual(listed(errors, stored.id), await affectedNaively(trees, stored.snapshot.root, isLost));
      }
      for (const error of errors.values()) equal(error.affectedCount, error.affected.length);
      await checkRepair(trees, survey, snapshots, isLost);
    }),
    { numRuns: 200 },
  );
});

/** A repaired tree has lost nothing, and with what was dropped it is what it was. */
async function checkRepair(
  trees: MemoryTrees,
  survey: TreeSurvey<CheckError>,
  snapshots: readonly StoredSnapshot[],
  isLost: (id: string) => boolean,
): Promise<void> {
  const put: (typeof trees)["put"] = async (data) => {
    const id = await trees.put(data);
    return isLost(id) ? await trees.put(utf8(`${new TextDecoder().decode(data)} `)) : id;
  };
  const repair = new TreeRepair(survey, put, new Uint8Array(32), false);
  for (const { snapshot } of snapshots) {
    const { parts, count } = await listDropped(survey, snapshot.root, false);
    equal(parts.length, count);
    const root = await repair.folder(snapshot.root);
    if (isLost(snapshot.root)) {
      equal(root, undefined);
      deepEqual(parts.map(({ path, what }) => [path, what]), [["/", "folder"]]);
      continue;
    }
    const dropped = new Set(parts.map(({ path }) => path));
    const expected = (await pathsBelow(trees, snapshot.root, isLost))
      .filter((path) => ![...dropped].some((top) => path === top || path.startsWith(`${top}/`)));
    deepEqual(await pathsBelow(trees, root!, () => false), expected);
  }
}

async function pathsBelow(trees: MemoryTrees, root: string, isLost: (id: string) => boolean): Promise<string[]> {
  const paths: string[] = [];
  const visit = async (id: string, path: string): Promise<void> => {
    if (isLost(id)) return;
    for await (const entry of trees.reader.entries(id)) {
      paths.push(joinPath(path, entry.name));
      if (entry.type === "dir") await visit(entry.subtree!, joinPath(path, entry.name));
    }
  };
  await visit(root, "/");
  return paths;
}

Deno.test("a survey counts more paths than anybody could list, and visits each document once", async () => {
  const trees = new MemoryTrees();
  let id = await trees.write(new Map([["file", { type: "file", ...fakeContent("lost") }]]));
  const folder = (subtree: string) => ({ ...entryBase, type: "dir" as const, subtree });
  for (let i = 0; i < 40; i++) {
    const entries = ["a", "b"].map((name) => ({ name, ...folder(id) }));
    id = await trees.put(utf8(JSON.stringify({ entries, version: 1 })));
  }
  const stored = storedSnapshot({ root: id });
  const lost = fakeContent("lost").content!.elements![0];
  const { survey, findings, errors } = surveyOf(trees, (chunk) => chunk === lost);
  trees.reads.length = 0;
  await survey.folder(id);
  equal(trees.reads.length, 41);
  await new AffectedPaths(trees.reader, survey, findings).addSnapshot(stored);
  const [error] = errors.values();
  equal(error.affectedCount, 2 ** 40);
  equal(error.affected.length, 1000);
  ok(trees.reads.length < 5000, `${trees.reads.length} reads`);
});

const entryBase = { mode: 0o755, uid: 0, gid: 0, mtime: "0", ctime: "0", inode: "1" };

Deno.test("a lost leaf of a large folder affects that folder, and its other leaves are repaired", async () => {
  const trees = new MemoryTrees();
  const files = Array.from({ length: 6000 }, (_, i): [string, EntrySpec] => [`name ${String(i).padStart(6, "0")}`, {}]);
  const root = await trees.write(new Map<string, EntrySpec>([["large", { children: new Map(files) }], ["small", {}]]));
  const [large] = (await Array.fromAsync(trees.reader.entries(root))).filter(({ name }) => name === "large");
  const node = await trees.reader.node(large.subtree!);
  ok("children" in node && node.children.length > 2);
  const lost = node.children[1].id;
  const { survey } = surveyOf(trees, (id) => id === lost);
  equal((await survey.folder(root))!.size, 1);
  const { parts } = await listDropped(survey, root, false);
  deepEqual(parts.map(({ path, what }) => [path, what]), [["/large", "folder_part"]]);
  const repaired = await new TreeRepair(survey, trees.put, new Uint8Array(32), false).folder(root);
  const left = (await pathsBelow(trees, repaired!, () => false)).length;
  const gone = (await Array.fromAsync(trees.reader.entries(lost))).length;
  equal(left, 6002 - gone);
});

Deno.test("long contents are followed through their lists, each once, and their length is compared", async (t) => {
  const trees = new MemoryTrees();
  const chunk = (name: string) => createHash("sha256").update(name).digest("hex");
  const list = (elements: unknown[]) => trees.put(utf8(JSON.stringify(elements)));
  const leaves = [await list([chunk("1"), { hole: "5" }, chunk("2")]), await list([chunk("3")])];
  const middle = await list([leaves[0], leaves[1]]);
  const lengths = new Map(["1", "2", "3"].map((name, i) => [chunk(name), 10 ** i]));
  const content: Content = { nodes: [middle], depth: 2 };
  const folder = (size: string): FolderSpec =>
    new Map([["a", { type: "file", size, content }], ["b", { type: "file", size, content }]]);
  const cases: [name: string, size: string, lost: string | undefined, affected: string[]][] = [
    ["whole", "116", undefined, []],
    ["a chunk", "116", chunk("2"), ["/a", "/b"]],
    ["a list", "116", leaves[1], ["/a", "/b"]],
    ["a list of lists", "116", middle, ["/a", "/b"]],
    ["another length", "117", undefined, ["/a", "/b"]],
  ];
  for (const [name, size, lost, affected] of cases) {
    await t.step(name, async () => {
      const stored = await trees.snapshot(folder(size));
      const { survey, findings, errors } = surveyOf(trees, (id) => id === lost, lengths);
      await survey.folder(stored.snapshot.root);
      await new AffectedPaths(trees.reader, survey, findings).addSnapshot(stored);
      deepEqual([...errors.values()].flatMap((error) => error.affected.map(({ path }) => path)), affected);
    });
  }
});

Deno.test("a survey names documents that make no sense, and passes on what is no damage", async (t) => {
  const trees = new MemoryTrees();
  const good = await trees.write(new Map([["m", {}]]));
  const dir = (subtree: string) => ({ name: "dir", ...entryBase, type: "dir", subtree });
  const bad: [string, string][] = [
    ["not JSON", "{"],
    ["of another version", '{"entries":[],"version":2}'],
    ["out of bounds", JSON.stringify({ children: [{ first: "a", id: good }, { first: "b", id: good }], version: 1 })],
    ["overlapping", JSON.stringify({ children: [{ first: "x", id: good }], version: 1 })],
  ];
  for (const [name, text] of bad) {
    await t.step(name, async () => {
      const id = await trees.put(utf8(text));
      const root = await trees.put(utf8(JSON.stringify({ entries: [dir(id)], version: 1 })));
      const { survey, errors } = surveyOf(trees, () => false);
      ok(await survey.folder(root) !== undefined);
      equal(errors.size, 1);
    });
  }
  await t.step("a store that fails", async () => {
    const { survey } = surveyOf(trees, () => false);
    const failing = new AxiomError("storage_failed", "Cannot read: a test says so");
    Object.assign(survey.trees, { get: () => Promise.reject(failing) });
    await rejects(survey.folder(good), failing);
  });
});
