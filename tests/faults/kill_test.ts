import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { toHex } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { ChunkKind } from "../../src/model/chunk.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { Repository } from "../../src/repository/repository.ts";
import type { Secret } from "../../src/repository/secret.ts";
import { openLocalStore } from "../../src/storage/local.ts";
import { type Picture, pictureOfFolder, pictureOfSnapshot } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, save, SMALL_PACKS, testContext, withFolder } from "./test_repository.ts";
import { seededFraction } from "./turns.ts";

const files = openFileSystem();
const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const PASSWORD = "a password for tests";
const SECRET: Secret = { kind: "password", password: PASSWORD };
const BACKUP_KILLS = 10;
const RESTORE_KILLS = 6;

const seed = Number(Deno.env.get("AXIOM_TEST_SEED") ?? Date.now() % 1_000_000);

interface Scene {
  top: string;
  source: string;
  location: string;
  fraction: () => number;
}

/** Runs the program as a process of its own and kills it after `ms`; true if it had ended well before. */
async function killed({ top, location }: Scene, args: string[], ms: number): Promise<boolean> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "-A", MAIN, ...args],
    clearEnv: true,
    env: { HOME: top, PATH: "/usr/bin:/bin", AXIOM_REPOSITORY: location, AXIOM_PASSWORD: PASSWORD, ...denoFolder() },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => {
    try {
      process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has just ended by itself
    }
  }, ms);
  const { success, signal, stderr } = await process.output();
  clearTimeout(timer);
  ok(success || signal === "SIGKILL", new TextDecoder().decode(stderr));
  return success;
}

function denoFolder(): Record<string, string> {
  const folder = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  return { DENO_DIR: folder };
}

async function opened(location: string): Promise<Repository> {
  return await Repository.open(await openLocalStore(location), SECRET, testContext(undefined, systemClock));
}

async function withScene(run: (scene: Scene) => Promise<void>): Promise<void> {
  console.log(`AXIOM_TEST_SEED=${seed}`);
  await withFolder(async (top) => {
    const location = `${top}/repository`;
    const source = `${top}/source`;
    const kdf = { algorithm: "argon2id", memory_kib: 19 * 1024, passes: 2, lanes: 1 } as const;
    const store = await openLocalStore(location, { make: true });
    await Repository.create(store, { secret: SECRET, kdf, settings: SMALL_PACKS }, testContext());
    await store.close();
    for (let i = 0; i < 250; i++) writeFiles(source, { [`${i % 10}/${i}`]: noise(`file ${i}`, 2000 + 37 * i) });
    await run({ top, source, location, fraction: seededFraction(seed) });
  });
}

function edit({ source, fraction }: Scene, round: number): void {
  for (let i = 0; i < 40; i++) {
    const number = Math.floor(fraction() * 300);
    writeFiles(source, { [`${number % 10}/${number}`]: noise(`${seed} ${round} ${number}`, 3000 + 100 * i) });
  }
}

/** Every snapshot reads as the folder was when it was made. */
async function assertAll({ location, source }: Scene, pictures: Map<string, Picture>, now: Picture): Promise<number> {
  const repository = await opened(location);
  const { snapshots, damaged } = await repository.snapshots();
  deepEqual(damaged, []);
  for (const stored of snapshots) {
    const expected = pictures.get(stored.id) ?? now;
    deepEqual(await pictureOfSnapshot(repository, stored, source), expected);
    pictures.set(stored.id, expected);
  }
  await repository.close();
  return snapshots.length;
}

/** Chunks of file contents that lie in more than one place. */
async function storedTwice(location: string): Promise<number> {
  const repository = await opened(location);
  const { index } = await repository.loadIndex();
  const seen = new Set<string>();
  let twice = 0;
  for (const pack of index.packs()) {
    for (const { kind, chunks } of (await repository.packs.table(pack)).frames) {
      if (kind !== ChunkKind.data) continue;
      for (const { id } of chunks) {
        const hex = toHex(id);
        if (seen.has(hex)) twice++;
        seen.add(hex);
      }
    }
  }
  await repository.close();
  return twice;
}

Deno.test("(1) kill -9 of a backup at random moments costs no snapshot, and what was uploaded is used", async () => {
  await withScene(async (scene) => {
    const { source, location, fraction } = scene;
    const pictures = new Map<string, Picture>();
    let ended = 0;
    let slowestMs = 3000;
    for (let round = 0; round < BACKUP_KILLS; round++) {
      if (round > 0) edit(scene, round);
      const now = pictureOfFolder(files, source);
      const started = performance.now();
      if (await killed(scene, ["backup", source], 200 + fraction() * slowestMs)) {
        ended++;
        slowestMs = Math.max(300, performance.now() - started - 200);
      }
      ok(await assertAll(scene, pictures, now) >= ended);
    }
    const repository = await opened(location);
    const { snapshotId, filesFailed } = await save(repository, source);
    equal(filesFailed, 0);
    await repository.close();
    const count = await assertAll(scene, pictures, pictureOfFolder(files, source));
    ok(pictures.has(snapshotId!));
    equal(await storedTwice(location), 0, "what was uploaded was uploaded again");
    console.log(`${BACKUP_KILLS} kills of a backup, ${ended} too late; ${count} snapshots, all whole`);
  });
});

Deno.test("(1) (12) kill -9 of a restore at random moments; the last run goes on and makes it whole", async () => {
  await withScene(async (scene) => {
    const { source, location, fraction, top } = scene;
    const repository = await opened(location);
    await save(repository, source);
    const [stored] = (await repository.snapshots()).snapshots;
    const picture = pictureOfFolder(files, source);
    const target = `${top}/target`;
    let ended = 0;
    for (let round = 0; round < RESTORE_KILLS; round++) {
      const args = ["restore", `latest:${source}`, "--target", target];
      if (await killed(scene, args, 300 + fraction() * 900)) {
        ended++;
        deepEqual(pictureOfFolder(files, target), picture);
        Deno.removeSync(target, { recursive: true });
      }
    }
    const { filesFailed } = await bringBack(repository, stored, source, target);
    equal(filesFailed, 0);
    deepEqual(pictureOfFolder(files, target), picture);
    const again = await bringBack(repository, stored, source, target);
    equal(again.bytesWritten, 0);
    await repository.close();
    console.log(`${RESTORE_KILLS} kills of a restore, ${ended} too late`);
  });
});
