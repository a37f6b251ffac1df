import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import type { AxiomEvent } from "../base/events.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { withFolder } from "../../tests/faults/test_repository.ts";
import { type EntrySpec, fakeContent, type FolderSpec, MemoryTrees } from "../../tests/fixtures/memory_trees.ts";
import { Catalogue } from "./catalogue.ts";
import { CatalogueDatabase, CatalogueFault } from "./catalogue_database.ts";
import { CatalogueWriter } from "./catalogue_writer.ts";
import type { FolderId, FoundEntry } from "./folder_source.ts";
import { TreeSource } from "./folder_source.ts";
import type { StoredSnapshot } from "./snapshots.ts";

const REPOSITORY = "0123456789abcdef".repeat(2);
const FILE = `${REPOSITORY}/catalogue.sqlite`;

function folder(entries: Record<string, EntrySpec>): FolderSpec {
  return new Map(Object.entries(entries));
}

/** Time passes only while somebody sleeps, twenty times as fast. */
class SleepersClock implements Clock {
  passedMs = 0;
  onSleep = () => {};
  readonly nowNs = () => systemClock.nowNs();
  readonly monotonicMs = () => this.passedMs;

  sleep(ms: number): Promise<void> {
    this.passedMs += 20 * ms;
    this.onSleep();
    return Promise.resolve();
  }
}

class Setup {
  readonly trees = new MemoryTrees();
  readonly events: AxiomEvent[] = [];
  readonly snapshots: StoredSnapshot[] = [];
  readonly clock = new SleepersClock();
  readonly context = { clock: this.clock, onEvent: (event: AxiomEvent) => void this.events.push(event) };

  constructor(readonly cache: string) {}

  async add(spec: FolderSpec): Promise<void> {
    const parent = this.snapshots.at(-1)?.id ?? null;
    this.snapshots.push(await this.trees.snapshot(spec, { parent }));
  }

  async open(): Promise<Catalogue> {
    const catalogue = await Catalogue.open(this.cache, REPOSITORY, this.context);
    ok(catalogue !== undefined, JSON.stringify(this.events));
    return catalogue;
  }

  async update(catalogue: Catalogue, wanted = this.snapshots): Promise<boolean> {
    const trees = () => Promise.resolve(this.trees.reader);
    return await catalogue.update({ all: this.snapshots, wanted, trees });
  }

  get warnings(): string[] {
    return this.events.filter((event) => event.type === "warning").map(({ code }) => code);
  }

  /** All that the catalogue says of a snapshot, and what its trees say. */
  async compare(catalogue: Catalogue): Promise<void> {
    const roots = await catalogue.source.roots(this.snapshots.map(({ id }) => id));
    equal(roots.size, this.snapshots.length);
    const trees = new TreeSource(this.trees.reader);
    for (const { id, snapshot } of this.snapshots) {
      deepEqual(await all(catalogue.source, roots.get(id)!), await all(trees, snapshot.root));
    }
  }
}

async function all(source: { entries(folder: FolderId): AsyncIterable<readonly FoundEntry[]> }, root: FolderId) {
  const found: unknown[] = [];
  for await (const entries of source.entries(root)) {
    for (const { folder, ...entry } of entries) {
      found.push(folder === undefined ? entry : { ...entry, below: await all(source, folder) });
    }
  }
  return found;
}

function counts(cache: string): Promise<Record<string, unknown>> {
  return withDatabase(
    cache,
    (database) =>
      database.get("SELECT (SELECT count(*) FROM entries) AS entries, (SELECT count(*) FROM nodes) AS nodes")!,
  );
}

async function withDatabase<T>(cache: string, run: (database: CatalogueDatabase) => T): Promise<T> {
  const database = await CatalogueDatabase.open(`${cache}/${FILE}`, REPOSITORY, { clock: systemClock });
  try {
    return await database.read(() => run(database));
  } finally {
    database.close();
  }
}

function bigFolder(count: number, changed: number): FolderSpec {
  return new Map(Array.from({ length: count }, (_, i) => {
    return [`file ${String(i).padStart(5, "0")}`, fakeContent(i === changed ? "changed" : `content ${i}`)];
  }));
}

Deno.test("a snapshot costs the catalogue only what changed", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    const same = { children: bigFolder(300, -1) };
    await setup.add(folder({ same, dir: { children: folder({ big: { children: bigFolder(3000, -1) } }) } }));
    const catalogue = await setup.open();
    ok(await setup.update(catalogue));
    const first = await counts(cache);
    ok(first.entries as number > 3000);
    for (let i = 1; i <= 10; i++) {
      await setup.add(folder({ same, dir: { children: folder({ big: { children: bigFolder(3000, 100 * i) } }) } }));
      ok(await setup.update(catalogue));
    }
    await setup.compare(catalogue);
    const last = await counts(cache);
    // Ten times: the file before and after, parts, and the two folders above.
    ok(last.entries as number <= (first.entries as number) + 10 * 8, JSON.stringify([first, last]));
    setup.trees.reads.length = 0;
    ok(await setup.update(catalogue));
    equal(setup.trees.reads.length, 0);
    catalogue.close();
  });
});

Deno.test("snapshots of two machines that change the same folder apart from each other", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    const state = (a: string, b: string) =>
      folder({ shared: { children: folder({ a: fakeContent(a), b: fakeContent(b) }) } });
    await setup.add(state("1", "1"));
    const catalogue = await setup.open();
    ok(await setup.update(catalogue));
    const [base] = setup.snapshots;
    for (let i = 0; i < 4; i++) {
      for (const host of ["one", "two"]) {
        const parent = setup.snapshots.findLast(({ snapshot }) => snapshot.host === host) ?? base;
        const root = await setup.trees.write(state(`${host} ${i}`, i === 3 ? "1" : String(i)));
        const about = { parent: parent.id, host };
        setup.snapshots.push({
          ...await setup.trees.snapshot(folder({}), about),
          snapshot: { ...parent.snapshot, ...about, root },
        });
        ok(await setup.update(catalogue));
      }
    }
    await setup.compare(catalogue);
    catalogue.close();
  });
});

Deno.test("the catalogue is made again when it is missing, of another version, of another repository or damaged", async (t) => {
  const cases: { name: string; spoil: (path: string) => Promise<void>; warns: boolean }[] = [
    { name: "missing", spoil: (path) => Deno.remove(path), warns: false },
    { name: "empty", spoil: (path) => Deno.truncate(path), warns: false },
    { name: "no database", spoil: (path) => Deno.writeTextFile(path, "not a database ".repeat(1000)), warns: true },
    { name: "half of it", spoil: (path) => Deno.truncate(path, 20_000), warns: true },
    { name: "zeros in the middle", spoil: (path) => overwrite(path, 4096, new Uint8Array(60_000)), warns: true },
    { name: "another version", spoil: (path) => run(path, "PRAGMA user_version = 999"), warns: false },
    {
      name: "another repository",
      spoil: (path) => run(path, "UPDATE meta SET value = 'x' WHERE key = 'repository'"),
      warns: false,
    },
    { name: "a table is missing", spoil: (path) => run(path, "DROP TABLE entries"), warns: true },
  ];
  for (const { name, spoil, warns } of cases) {
    await t.step(name, async () => {
      await withFolder(async (cache) => {
        const setup = new Setup(cache);
        await setup.add(folder({ dir: { children: bigFolder(800, -1) } }));
        const before = await setup.open();
        ok(await setup.update(before));
        before.close();
        await spoil(`${cache}/${FILE}`);
        await setup.add(folder({ dir: { children: bigFolder(800, 7) } }));
        const catalogue = await setup.open();
        ok(await setup.update(catalogue), JSON.stringify(setup.events));
        await setup.compare(catalogue);
        deepEqual(setup.warnings, warns ? ["catalogue_replaced"] : []);
        catalogue.close();
      });
    });
  }
});

async function overwrite(path: string, offset: number, data: Uint8Array): Promise<void> {
  const file = await Deno.open(path, { write: true });
  await file.seek(offset, Deno.SeekMode.Start);
  await file.write(data);
  file.close();
}

async function run(path: string, sql: string): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

Deno.test("where no catalogue can be, it goes on without, with one warning", async () => {
  await withFolder(async (folderPath) => {
    await Deno.writeTextFile(`${folderPath}/file`, "in the way");
    const setup = new Setup(`${folderPath}/file/cache`);
    equal(await Catalogue.open(setup.cache, REPOSITORY, setup.context), undefined);
    deepEqual(setup.warnings, ["catalogue_unavailable"]);
  });
});

Deno.test("a catalogue that another process writes is waited for, and then done without", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    await setup.add(folder({ a: fakeContent("a") }));
    const catalogue = await setup.open();
    const { DatabaseSync } = await import("node:sqlite");
    const other = new DatabaseSync(`${cache}/${FILE}`);
    other.exec("BEGIN IMMEDIATE");
    const before = setup.clock.passedMs;
    equal(await setup.update(catalogue), false);
    ok(setup.clock.passedMs - before >= LIMITS.catalogueWaitMs, "it waits");
    deepEqual(setup.warnings, ["catalogue_unavailable"]);
    let sleeps = 0;
    setup.clock.onSleep = () => {
      if (++sleeps === 2) other.exec("COMMIT");
    };
    ok(await setup.update(catalogue));
    equal(sleeps, 2);
    other.exec("BEGIN EXCLUSIVE");
    await rejects(catalogue.source.damagedCount(), (error) => error instanceof CatalogueFault && error.kind === "busy");
    other.exec("COMMIT");
    other.close();
    catalogue.close();
  });
});

Deno.test("two processes that add to one catalogue in turn do not mix up names", async () => {
  await withFolder(async (cache) => {
    const [one, two] = [new Setup(cache), new Setup(cache)];
    const catalogues = [await one.open(), await two.open()];
    const both = new Setup(cache);
    for (let i = 0; i < 6; i++) {
      const spec = folder({ [`new ${i}`]: fakeContent(String(i)), dir: { children: bigFolder(20 + i, i) } });
      await both.add(spec);
      const setup = [one, two][i % 2];
      await setup.trees.write(spec);
      setup.snapshots.splice(0, Infinity, ...both.snapshots);
      for (const [id, data] of both.trees.documents) setup.trees.documents.set(id, data);
      ok(await setup.update(catalogues[i % 2], [both.snapshots[i]]));
    }
    for (const catalogue of catalogues) await both.compare(catalogue);
    for (const catalogue of catalogues) catalogue.close();
  });
});

Deno.test("a writer sees the names that another one added between its commits", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    for (let i = 0; i < 4; i++) {
      await setup.add(folder({ [`new ${i}`]: fakeContent("x"), [`also ${i}`]: fakeContent("y") }));
    }
    const catalogue = await setup.open();
    const databases = [];
    for (let i = 0; i < 2; i++) {
      databases.push(await CatalogueDatabase.open(`${cache}/${FILE}`, REPOSITORY, { clock: systemClock }));
    }
    const writers = databases.map((database) => new CatalogueWriter(database, setup.trees.reader));
    for (const [i, stored] of setup.snapshots.entries()) await writers[i % 2].add(stored, setup.snapshots[i - 1]?.id);
    for (const database of databases) database.close();
    await setup.compare(catalogue);
    catalogue.close();
  });
});

Deno.test("a folder that cannot be read is left out, counted, and tried again", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    const inside = folder({ x: fakeContent("x"), sub: { children: folder({ y: fakeContent("y") }) } });
    await setup.add(folder({ bad: { children: inside }, good: fakeContent("good") }));
    const lost = await setup.trees.write(inside);
    const data = setup.trees.documents.get(lost)!;
    setup.trees.documents.delete(lost);
    const catalogue = await setup.open();
    ok(await setup.update(catalogue));
    equal(await catalogue.source.damagedCount(), 1);
    const [root] = (await catalogue.source.roots([setup.snapshots[0].id])).values();
    deepEqual((await all(catalogue.source, root) as FoundEntry[]).map(({ name }) => name), ["bad", "good"]);
    await setup.add(folder({ bad: { children: inside }, good: fakeContent("better") }));
    ok(await setup.update(catalogue));
    setup.trees.documents.set(lost, data);
    ok(await setup.update(catalogue));
    equal(await catalogue.source.damagedCount(), 0);
    await setup.compare(catalogue);
    catalogue.close();
  });
});

Deno.test("an interrupted update throws, and the next one ends it", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    await setup.add(folder({ a: { children: bigFolder(50, -1) }, b: { children: bigFolder(60, -1) } }));
    const controller = new AbortController();
    const context = { ...setup.context, signal: controller.signal };
    const interrupted = (await Catalogue.open(cache, REPOSITORY, context))!;
    const trees = () => {
      controller.abort();
      return Promise.resolve(setup.trees.reader);
    };
    const update = { all: setup.snapshots, wanted: setup.snapshots, trees };
    await rejects(interrupted.update(update), { kind: "interrupted" });
    interrupted.close();
    const catalogue = await setup.open();
    ok(await setup.update(catalogue));
    await setup.compare(catalogue);
    catalogue.close();
  });
});

Deno.test("a catalogue mostly of snapshots that are gone is made anew", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    for (let i = 0; i < 25; i++) await setup.add(folder({ [`only in ${i}`]: fakeContent(String(i)) }));
    const catalogue = await setup.open();
    ok(await setup.update(catalogue));
    setup.snapshots.splice(0, 10);
    ok(await setup.update(catalogue));
    const before = await counts(cache);
    equal(before.nodes, 25);
    setup.snapshots.splice(0, 11);
    ok(await setup.update(catalogue));
    const after = await counts(cache);
    equal(after.nodes, 4);
    await setup.compare(catalogue);
    deepEqual(setup.warnings, []);
    catalogue.close();
  });
});

Deno.test("only what is wanted is added", async () => {
  await withFolder(async (cache) => {
    const setup = new Setup(cache);
    for (const text of ["1", "2", "3"]) await setup.add(folder({ a: fakeContent(text) }));
    const catalogue = await setup.open();
    ok(await setup.update(catalogue, setup.snapshots.slice(1, 2)));
    const roots = await catalogue.source.roots(setup.snapshots.map(({ id }) => id));
    deepEqual([...roots.keys()], [setup.snapshots[1].id]);
    catalogue.close();
  });
});
