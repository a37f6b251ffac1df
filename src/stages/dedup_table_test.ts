import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { viewOf } from "../base/bytes.ts";
import { type DedupShare, DedupTable } from "./dedup_table.ts";

export interface StressJob {
  /** One table each; `wins` counts the successful claims of each id as i32. */
  rounds: { share: DedupShare; ids: SharedArrayBuffer; wins: SharedArrayBuffer }[];
  /** One i32 per round: workers that are ready. */
  barrier: SharedArrayBuffer;
  workers: number;
  seed: number;
}

/** 16 bytes that look random and belong to `number` alone: multiplication by an odd number and xorshift can be undone. */
function idOf(number: number, into: Uint8Array = new Uint8Array(16)): Uint8Array {
  let word = number | 0;
  for (let i = 0; i < 4; i++) {
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b) + i;
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    word ^= word >>> 16;
    viewOf(into).setInt32(4 * i, word, true);
  }
  return into;
}

Deno.test("claim() is true once per prefix, whatever its bytes", () => {
  const table = DedupTable.create(100_000);
  const ids = [new Uint8Array(16), new Uint8Array(16).fill(0xff)];
  for (let bit = 0; bit < 128; bit++) {
    const id = new Uint8Array(16);
    id[bit >> 3] = 1 << (bit & 7);
    ids.push(id);
  }
  for (const id of ids) equal(table.has(id), false);
  for (const id of ids) equal(table.claim(id), true);
  for (const id of ids) equal(table.claim(id), false);
  for (const id of ids) equal(table.has(id), true);
  equal(table.count, ids.length);
});

Deno.test("claim() reads a prefix at any offset and refuses one that is cut off", () => {
  const table = DedupTable.create(10);
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => i);
  equal(table.claim(bytes, 3), true);
  equal(table.has(bytes.subarray(3, 19)), true);
  equal(table.has(bytes), false);
  table.claim(bytes, 24);
  equal(table.claim(bytes.slice(24)), false);
  throws(() => table.claim(bytes, 25), RangeError);
  throws(() => table.has(new Uint8Array(15)), RangeError);
});

Deno.test("21: agrees with a Set over 1,000,000 claims and look-ups while it grows from nothing", () => {
  const table = DedupTable.create(0);
  const worker = DedupTable.attach(table.share());
  const model = new Set<number>();
  const id = new Uint8Array(16);
  let state = 1;
  for (let operation = 0; operation < 1_000_000; operation++) {
    state = Math.imul(state, 1664525) + 1013904223;
    const number = (state >>> 12) % 200_000;
    idOf(number, id);
    const known = model.has(number);
    if (state < 0) equal(table.has(id), known);
    else equal((operation & 1) === 0 ? table.claim(id) : worker.claim(id), !known);
    if (state >= 0) model.add(number);
    if (table.needsSegment) worker.attachSegment(table.grow());
  }
  ok(model.size > 150_000);
  equal(table.count, model.size);
  equal(worker.count, model.size);
});

Deno.test("property: sets of similar ids are kept apart in segments of any number", () => {
  const ids = fc.array(fc.array(fc.constantFrom(0, 1, 0xff), { minLength: 16, maxLength: 16 }), { maxLength: 200 });
  fc.assert(fc.property(ids, fc.nat(3), (ids, segments) => {
    const table = DedupTable.create(1);
    for (let i = 0; i < segments; i++) table.grow();
    const model = new Set<string>();
    for (const bytes of ids) {
      equal(table.claim(Uint8Array.from(bytes)), !model.has(bytes.join()));
      model.add(bytes.join());
    }
    equal(table.count, model.size);
  }));
});

Deno.test("more entries than one segment may have make several, all known from the start", () => {
  const table = DedupTable.create(10_000, 3_000);
  equal(table.share().segments.length, 4);
  const ids = Array.from({ length: 10_000 }, (_, i) => {
    const id = new Uint8Array(16);
    for (let word = 0; word < 4; word++) {
      new DataView(id.buffer).setUint32(4 * word, Math.imul(i + 1, 0x9e3779b1 + word));
    }
    return id;
  });
  const words = (id: Uint8Array) => Uint32Array.from([0, 4, 8, 12], (at) => new DataView(id.buffer).getUint32(at));
  for (const id of [...ids, ...ids.slice(0, 100)]) table.insertPrefix(Uint32Array.of(7, ...words(id)), 1);
  equal(table.count, 10_000);
  const attached = DedupTable.attach(table.share());
  for (const id of ids) ok(attached.has(id) && !attached.claim(id));
  ok(table.needsSegment);
});

Deno.test("memory is at most 32 bytes per expected entry", () => {
  for (const entries of [10_000, 99_999, 1_000_000]) ok(DedupTable.create(entries).memoryBytes <= 32 * entries);
});

Deno.test("who does not know the newest segment still works, and sees what it can", () => {
  const owner = DedupTable.create(1024);
  const stale = DedupTable.attach(owner.share());
  for (let i = 0; i < 1300; i++) equal(stale.claim(idOf(i)), true); // beyond the limit, in the only segment it knows
  for (let i = 0; i < 1300; i++) equal(owner.claim(idOf(i)), false);
  const segment = owner.grow();
  equal(owner.claim(idOf(5000)), true);
  equal(stale.has(idOf(5000)), false);
  stale.attachSegment(segment);
  equal(stale.claim(idOf(5000)), false);
  stale.attachSegment(segment); // known already
  equal(stale.count, 1301);
});

Deno.test("without any room a claim is true, and is not recorded", () => {
  const table = DedupTable.create(0);
  let wins = 0;
  for (let i = 0; i < 4000; i++) if (table.claim(idOf(i))) wins++;
  equal(wins, 4000);
  ok(table.count >= 1024 && table.count <= 1536, `${table.count} entries`);
  for (let i = 0; i < 1000; i++) equal(table.claim(idOf(i)), false);
});

Deno.test("needsSegment tells half of the way to the limit", () => {
  const table = DedupTable.create(2000);
  const marks: number[] = [];
  for (let i = 0; i < 4500; i++) {
    table.claim(idOf(i));
    if (table.needsSegment) {
      marks.push(table.count);
      table.grow();
    }
  }
  deepEqual(marks, [1000, 2000 + 2000]);
});

Deno.test("a worker that ended in the middle of a claim stops nobody", () => {
  const table = DedupTable.create(10);
  const id = idOf(1);
  table.claim(id);
  const words = new Int32Array(table.share().segments[0].buffer);
  const at = words.findIndex((word, i) => i >= 16 && word !== 0);
  equal(words[at] & 3, 2);
  words[at] = (words[at] & ~3) | 1;
  equal(table.has(id), false);
  equal(table.claim(id), true);
  equal(table.claim(idOf(2)), true);
});

Deno.test("refuses segments out of order, of odd length, and absurd sizes", async (t) => {
  const table = DedupTable.create(10);
  const cases = [
    { name: "a segment skipped", run: () => table.attachSegment({ number: 2, buffer: new SharedArrayBuffer(128) }) },
    { name: "no slots", run: () => table.attachSegment({ number: 1, buffer: new SharedArrayBuffer(64) }) },
    { name: "half a slot", run: () => table.attachSegment({ number: 1, buffer: new SharedArrayBuffer(136) }) },
    { name: "no segment", run: () => DedupTable.attach({ segments: [] }) },
    { name: "too many entries", run: () => DedupTable.create(2 ** 40) },
    { name: "less than none", run: () => DedupTable.create(-1) },
    { name: "not a number", run: () => DedupTable.create(NaN) },
  ];
  for (const { name, run } of cases) await t.step(name, () => throws(run, RangeError));
});

function sharedIds(count: number, first: number): SharedArrayBuffer {
  const ids = new SharedArrayBuffer(16 * count);
  for (let i = 0; i < count; i++) idOf(first + i, new Uint8Array(ids, 16 * i, 16));
  return ids;
}

/** Lets real workers claim all ids of all rounds at the same time; `shareFor` says what each knows of a table. */
async function stress(
  workers: number,
  rounds: { table: DedupTable; ids: SharedArrayBuffer; wins: SharedArrayBuffer }[],
  shareFor: (table: DedupTable, worker: number) => DedupShare,
): Promise<void> {
  const barrier = new SharedArrayBuffer(4 * rounds.length);
  const started: Worker[] = [];
  try {
    await Promise.all(Array.from({ length: workers }, (_, seed) => {
      const worker = new Worker(new URL("./dedup_stress_worker.ts", import.meta.url), { type: "module" });
      started.push(worker);
      const job: StressJob = {
        rounds: rounds.map(({ table, ids, wins }) => ({ share: shareFor(table, seed), ids, wins })),
        barrier,
        workers,
        seed,
      };
      worker.postMessage(job);
      return new Promise<void>((resolve, reject) => {
        worker.onmessage = () => resolve();
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(event.message));
        };
      });
    }));
  } finally {
    for (const worker of started) worker.terminate();
  }
}

Deno.test("workers that claim the same ids: every id is new to exactly one", async (t) => {
  const cases = [
    { name: "2 workers, one large table", workers: 2, tables: 1, entries: 50_000, segments: 1 },
    {
      name: "4 workers, 150 small tables that fill up several segments",
      workers: 4,
      tables: 150,
      entries: 5000,
      segments: 3,
    },
  ];
  for (const { name, workers, tables, entries, segments } of cases) {
    await t.step(name, async () => {
      const rounds = Array.from({ length: tables }, (_, round) => {
        const table = DedupTable.create(segments === 1 ? entries : 1024);
        for (let i = 1; i < segments; i++) table.grow();
        const ids = sharedIds(entries, round * entries);
        return { table, ids, wins: new SharedArrayBuffer(4 * entries) };
      });
      await stress(workers, rounds, (table) => table.share());
      for (const { table, wins } of rounds) {
        const counts = new Int32Array(wins);
        equal(counts.filter((count) => count === 0).length, 0, "ids that nobody claimed");
        equal(counts.filter((count) => count > 1).length, 0, "ids that were claimed twice");
        equal(table.count, entries);
      }
    });
  }
});

Deno.test("workers that know different numbers of segments lose no id", async () => {
  const entries = 1200; // the limit is 1024, the slots of one segment are 1536
  const rounds = Array.from({ length: 50 }, (_, round) => {
    const table = DedupTable.create(1024);
    table.grow();
    return { table, ids: sharedIds(entries, round * entries), wins: new SharedArrayBuffer(4 * entries) };
  });
  await stress(3, rounds, (table, worker) => ({ segments: table.share().segments.slice(0, worker === 0 ? 2 : 1) }));
  for (const { wins } of rounds) ok(new Int32Array(wins).every((count) => count >= 1 && count <= 3));
});
