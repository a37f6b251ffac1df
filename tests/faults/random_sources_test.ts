import { deepEqual, equal, ok } from "node:assert/strict";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import type { Repository } from "../../src/repository/repository.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { WorkerPool } from "../../src/stages/worker_pool.ts";
import { SteadyFiles } from "./faulty_files.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { RandomSource } from "./random_source.ts";
import { nextTick } from "./source_folder.ts";
import { bringBack, emptyRepository, type Events, opened, save, SMALL_PACKS, withFolder } from "./test_repository.ts";
import { seededFraction } from "./turns.ts";

const files = openFileSystem();
const privileged = Deno.uid() === 0;
const SOURCES = 20;
const SAVED_EACH_ROUND = 4;
const firstSeed = Number(Deno.env.get("AXIOM_TEST_SEED") ?? Date.now() % 1_000_000);

/** Compares line by line, so that a failure shows what differs and not two trees. */
function same(actual: Picture, expected: Picture, what: string): void {
  for (const [path, line] of expected) equal(actual.get(path), line, `${what}: ${JSON.stringify(path)}`);
  deepEqual([...actual.keys()].filter((path) => !expected.has(path)), [], `${what}: too much`);
}

interface Round {
  repository: Repository;
  top: string;
  source: string;
  number: number;
  events: Events;
}

async function backUpAndRestore({ repository, top, source, number, events }: Round): Promise<Picture> {
  const expected = pictureOfFolder(files, source);
  const remembering = { files: new SteadyFiles(source), cache: `${top}/cache` };
  const summary = await save(repository, source, remembering);
  equal(summary.filesFailed, 0, JSON.stringify(events));
  const again = await save(repository, source, { files: new SteadyFiles(source, { packed: false }) });
  equal(again.chunksNew, 0);
  for (let times = 0; times < 2; times++) await save(repository, source, remembering);
  const [before, ...unchanged] = (await repository.snapshots()).snapshots.slice(-SAVED_EACH_ROUND);
  for (const { snapshot } of unchanged) {
    equal(snapshot.root, before.snapshot.root, "an unchanged folder has another tree");
  }
  same(await pictureOfSnapshot(repository, before, source), expected, `round ${number}, snapshot`);
  const isOdd = number % 2 === 1;
  const target = `${top}/fresh ${number}`;
  const restored = await bringBack(repository, before, source, target, {
    ...(isOdd ? { pool: () => new WorkerPool(2) } : {}),
    verify: isOdd,
  });
  equal(restored.filesFailed, 0, JSON.stringify(events));
  equal(restored.metadataLosses, 0, JSON.stringify(events));
  same(pictureOfFolder(files, target), expected, `round ${number}, restored into a new folder`);
  await bringBack(repository, before, source, `${top}/kept`, { delete: true });
  same(pictureOfFolder(files, `${top}/kept`), expected, `round ${number}, restored over what was there`);
  return expected;
}

Deno.test("random folders with every kind of entry, edited at random, come back as they were in each snapshot", async (t) => {
  console.log(`AXIOM_TEST_SEED=${firstSeed}${privileged ? "" : ", without owners, sockets and devices"}`);
  for (let seed = firstSeed; seed < firstSeed + SOURCES; seed++) {
    await t.step(`seed ${seed}`, async () => {
      await withFolder(async (top) => {
        const source = `${top}/source`;
        Deno.mkdirSync(source);
        const target = files.openTarget(source);
        try {
          const random = new RandomSource(target, seededFraction(seed), privileged);
          const store = memoryStore();
          store.restore(await emptyRepository(seed % 2 === 0 ? SMALL_PACKS : undefined));
          const events: Events = [];
          const repository = await opened(store, events);
          random.fill(35);
          const pictures: Picture[] = [];
          for (let number = 0; number < 3; number++) {
            if (number > 0) {
              await nextTick();
              random.edit(15);
            }
            pictures.push(await backUpAndRestore({ repository, top, source, number, events }));
          }
          const { snapshots } = await repository.snapshots();
          for (const [i, stored] of snapshots.entries()) {
            same(
              await pictureOfSnapshot(repository, stored, source),
              pictures[Math.floor(i / SAVED_EACH_ROUND)],
              `snapshot ${i} at the end`,
            );
          }
          ok(pictures[2].size > 10);
        } finally {
          target.close();
        }
      });
    });
  }
});
