import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { type Bytes, concat, equalBytes, MIB, utf8 } from "../../src/base/bytes.ts";
import { AxiomError, type ErrorKind } from "../../src/base/errors.ts";
import { LIMITS } from "../../src/base/limits.ts";
import type { ObjectStore } from "../../src/storage/object_store.ts";
import { repairerOf, replaceDamaged } from "../../src/storage/repairer.ts";

export interface StoreUnderTest {
  /** Empty. */
  store: ObjectStore;
  /** Everything that a finished, failed or aborted write left beside the objects; none is right. */
  leftovers?(): Promise<string[]>;
  dispose?(): Promise<void>;
}

type Check = (subject: StoreUnderTest) => Promise<void>;

/**
 * The contract of {@linkcode ObjectStore}: one test with a step per clause, each on a fresh store.
 *
 * @param part `reading` for a store that refuses to write: only what is about `get`, `stat` and `list`; its `put` and
 * `remove` have to work for the test nevertheless
 */
export function objectStoreContract(
  name: string,
  makeStore: () => Promise<StoreUnderTest>,
  part: "whole" | "reading" = "whole",
): void {
  Deno.test(`${name} keeps the contract of an object store`, async (t) => {
    const clauses = part === "whole" ? { ...WRITING, ...READING, ...REFUSING } : READING;
    for (const [clause, check] of Object.entries(clauses)) {
      await t.step(clause, async () => {
        const subject = await makeStore();
        try {
          await check(subject);
          deepEqual(await subject.leftovers?.() ?? [], [], "temporary data is left");
        } finally {
          await subject.store.close();
          await subject.dispose?.();
        }
      });
    }
  });
}

/** Fails unless `promise` rejects with an `AxiomError` of that kind which names what it is about. */
export async function fails(promise: Promise<unknown>, kind: ErrorKind, pattern = /^Cannot /): Promise<AxiomError> {
  let failure: unknown;
  await rejects(promise, (error) => {
    failure = error;
    return true;
  });
  ok(failure instanceof AxiomError, `not an AxiomError: ${failure}`);
  equal(failure.kind, kind, failure.message);
  if (kind !== "interrupted") ok(pattern.test(failure.message), failure.message);
  return failure;
}

export async function allOf(store: ObjectStore, prefix: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for await (const { key, sizeBytes } of store.list(prefix)) {
    ok(!(key in found), `${key} is listed twice`);
    found[key] = sizeBytes;
  }
  return found;
}

/** Bytes that differ at every place and by seed, without a large cost. */
export function sample(length: number, seed: number): Bytes {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0, state = seed * 2654435761 >>> 0; i < words.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}

const WRITING: Record<string, Check> = {
  "what was put can be read, listed and asked for": async ({ store }) => {
    await store.put("packs/ab/abc-1_2.x", utf8("hello"));
    deepEqual(await store.get("packs/ab/abc-1_2.x", "all"), utf8("hello"));
    deepEqual(await store.stat("packs/ab/abc-1_2.x"), { sizeBytes: 5 });
    deepEqual(await allOf(store, "packs/"), { "packs/ab/abc-1_2.x": 5 });
  },
  "put takes a copy: the caller's buffer is its own again": async ({ store }) => {
    const data = utf8("before");
    await store.put("index/a", data);
    data.fill(0);
    const read = await store.get("index/a", "all");
    deepEqual(read, utf8("before"));
    read.fill(0);
    deepEqual(await store.get("index/a", "all"), utf8("before"));
  },
  "put of a view stores the view alone": async ({ store }) => {
    await store.put("index/a", utf8("0123456789").subarray(2, 5));
    deepEqual(await store.get("index/a", "all"), utf8("234"));
  },
  "an empty object is an object": async ({ store }) => {
    await store.put("index/empty", new Uint8Array(0));
    deepEqual(await store.stat("index/empty"), { sizeBytes: 0 });
    deepEqual(await store.get("index/empty", "all"), new Uint8Array(0));
    deepEqual(await store.get("index/empty", { offset: 0, length: 0 }), new Uint8Array(0));
    await fails(store.get("index/empty", { offset: 0, length: 1 }), "data_damaged");
    deepEqual(await allOf(store, "index/"), { "index/empty": 0 });
  },
  "an object of 16 MiB comes back": async ({ store }) => {
    const data = sample(16 * MIB, 7);
    await store.put("packs/ab/large", data);
    ok(equalBytes(await store.get("packs/ab/large", "all"), data));
    deepEqual(await store.get("packs/ab/large", { offset: 16 * MIB - 3, length: 3 }), data.slice(-3));
  },
  "(33) put again with the same bytes succeeds": async ({ store }) => {
    await store.put("index/a", utf8("same"));
    await store.put("index/a", utf8("same"));
    deepEqual(await store.get("index/a", "all"), utf8("same"));
  },
  "put with other bytes is object_exists and changes nothing": async ({ store }) => {
    await store.put("index/a", utf8("first"));
    for (const other of ["other", "longer than it", "", "firs"]) {
      await fails(store.put("index/a", utf8(other)), "object_exists", /^Cannot store index\/a: /);
    }
    deepEqual(await store.get("index/a", "all"), utf8("first"));
  },
  "(32) of 32 concurrent puts with different bytes one wins": async ({ store }) => {
    const results = await Promise.allSettled(
      Array.from({ length: 32 }, (_, i) => store.put("config/0000000001", sample(5000, i + 1))),
    );
    const winners = results.flatMap(({ status }, i) => status === "fulfilled" ? [i] : []);
    equal(winners.length, 1, `winners: ${winners}`);
    for (const result of results) {
      if (result.status === "rejected") equal((result.reason as AxiomError).kind, "object_exists", result.reason);
    }
    deepEqual(await store.get("config/0000000001", "all"), sample(5000, winners[0] + 1));
  },
  "32 concurrent puts with the same bytes all succeed": async ({ store }) => {
    await Promise.all(Array.from({ length: 32 }, () => store.put("packs/ab/abc", sample(5000, 1))));
    deepEqual(await store.get("packs/ab/abc", "all"), sample(5000, 1));
  },
  "a writer's object appears with its name": async ({ store }) => {
    const writer = await store.create();
    const part = utf8("one");
    await writer.write(part);
    part.fill(0);
    await writer.write(new Uint8Array(0));
    await writer.write(utf8("two").subarray(1));
    deepEqual(await allOf(store, ""), {});
    await writer.commit("packs/cd/cde");
    deepEqual(await store.get("packs/cd/cde", "all"), utf8("onewo"));
    await writer.abort();
    deepEqual(await allOf(store, "packs/"), { "packs/cd/cde": 5 });
  },
  "a writer that wrote nothing makes an empty object": async ({ store }) => {
    await (await store.create()).commit("index/empty");
    deepEqual(await store.stat("index/empty"), { sizeBytes: 0 });
  },
  "writers do not mix": async ({ store }) => {
    const writers = await Promise.all(Array.from({ length: 8 }, () => store.create()));
    for (let round = 0; round < 3; round++) {
      await Promise.all(writers.map((writer, i) => writer.write(sample(1000, 10 * i + round + 1))));
    }
    await Promise.all(writers.map((writer, i) => writer.commit(`packs/00/${i}`)));
    for (let i = 0; i < 8; i++) {
      const expected = concat([0, 1, 2].map((round) => sample(1000, 10 * i + round + 1)));
      deepEqual(await store.get(`packs/00/${i}`, "all"), expected);
    }
  },
  "a writer that meets its own bytes succeeds, other bytes are object_exists": async ({ store }) => {
    await store.put("packs/ab/abc", utf8("first"));
    const [same, other] = [await store.create(), await store.create()];
    await same.write(utf8("first"));
    await same.commit("packs/ab/abc");
    await other.write(utf8("other"));
    await fails(other.commit("packs/ab/abc"), "object_exists");
    await other.abort();
    deepEqual(await store.get("packs/ab/abc", "all"), utf8("first"));
  },
  "an aborted writer leaves nothing": async ({ store }) => {
    const writer = await store.create();
    await writer.write(sample(100_000, 1));
    await writer.abort();
    await writer.abort();
    deepEqual(await allOf(store, ""), {});
    await rejects(writer.write(utf8("x")));
    await rejects(writer.commit("index/x"));
    deepEqual(await allOf(store, ""), {});
  },
  "a reader never sees a part of an object": async ({ store }) => {
    const data = sample(2 * MIB, 3);
    let writing = true;
    const watching = (async () => {
      let looks = 0;
      for (; writing; looks++) {
        const info = await store.stat("packs/ab/abc");
        if (info) equal(info.sizeBytes, data.length);
        for (const size of Object.values(await allOf(store, ""))) equal(size, data.length);
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      return looks;
    })();
    const writer = await store.create();
    for (let at = 0; at < data.length; at += 64 * 1024) await writer.write(data.subarray(at, at + 64 * 1024));
    await Promise.all([writer.commit("packs/ab/abc"), store.put("packs/ab/abc", data)]);
    writing = false;
    ok(await watching > 0);
    ok(equalBytes(await store.get("packs/ab/abc", "all"), data));
  },
  "removing takes one object, and a missing one is no error": async ({ store }) => {
    await store.put("sessions/a", utf8("a"));
    await store.put("sessions/a.1", utf8("b"));
    await store.get("sessions/a", "all");
    await store.remove("sessions/a");
    await store.remove("sessions/a");
    await store.remove("packs/00/never");
    equal(await store.stat("sessions/a"), undefined);
    await fails(store.get("sessions/a", "all"), "object_missing");
    deepEqual(await allOf(store, "sessions/"), { "sessions/a.1": 1 });
    await store.put("sessions/a", utf8("new"));
    deepEqual(await store.get("sessions/a", "all"), utf8("new"));
  },
  "removing the name of a folder removes nothing": async ({ store }) => {
    await store.put("packs/ab/abc", utf8("a"));
    await store.remove("packs/ab");
    deepEqual(await allOf(store, ""), { "packs/ab/abc": 1 });
    await store.remove("packs/ab/abc");
    await store.remove("packs/ab");
    await store.put("packs/ab/abc", utf8("a"));
  },
  "(2) an object set aside makes room for the right one": async ({ store }) => {
    const repair = repairerOf(store);
    ok(repair, "cannot set aside");
    await store.put("packs/ab/abc", utf8("sho"));
    await store.get("packs/ab/abc", "all");
    const asideKey = await replaceDamaged(store, "packs/ab/abc", utf8("short no more"));
    ok(asideKey && /^damaged\/packs-ab-abc\.[0-9a-f]+$/.test(asideKey), asideKey);
    deepEqual(await store.get(asideKey, "all"), utf8("sho"));
    deepEqual(await store.get("packs/ab/abc", "all"), utf8("short no more"));
    equal(await replaceDamaged(store, "packs/ab/abc", utf8("short no more")), undefined);
    await fails(repair.setAside("packs/ab/none"), "object_missing");
  },
};

const READING: Record<string, Check> = {
  "ranges end where they are told to": async ({ store }) => {
    await store.put("index/a", utf8("0123456789"));
    const cases = [[0, 10, "0123456789"], [0, 1, "0"], [9, 1, "9"], [3, 4, "3456"], [10, 0, ""], [0, 0, ""]] as const;
    for (const [offset, length, text] of cases) {
      deepEqual(await store.get("index/a", { offset, length }), utf8(text), `${length} at ${offset}`);
    }
  },
  "(34) a range beyond the end is data_damaged, never a short read": async ({ store }) => {
    await store.put("index/a", utf8("0123456789"));
    for (const [offset, length] of [[0, 11], [9, 2], [10, 1], [11, 0], [1000, 5]]) {
      await fails(store.get("index/a", { offset, length }), "data_damaged", /index\/a/);
    }
  },
  "many ranges of one object at once are each their own": async ({ store }) => {
    const data = sample(300_000, 5);
    await store.put("packs/ab/abc", data);
    await Promise.all(Array.from({ length: 100 }, async (_, i) => {
      const offset = i * 2900, length = 1000 + i * 10;
      deepEqual(await store.get("packs/ab/abc", { offset, length }), data.slice(offset, offset + length));
    }));
  },
  "absurd ranges are limit_exceeded": async ({ store }) => {
    await store.put("index/a", utf8("0123456789"));
    const cases = [[-1, 1], [0, -1], [0.5, 1], [0, NaN], [0, LIMITS.packBytesMax + 1], [2 ** 53 - 1, 2]];
    for (const [offset, length] of cases) await fails(store.get("index/a", { offset, length }), "limit_exceeded");
  },
  "a missing object is object_missing, or undefined for stat": async ({ store }) => {
    await store.put("packs/ab/abc", utf8("a"));
    for (const key of ["packs/ab/none", "packs/none/x", "none", "packs/ab", "packs/ab/abc/below"]) {
      await fails(store.get(key, "all"), "object_missing", new RegExp(key));
      await fails(store.get(key, { offset: 0, length: 0 }), "object_missing");
      equal(await store.stat(key), undefined, key);
    }
  },
  "a listing has what starts with the prefix": async ({ store }) => {
    for (const key of ["packs/ab/1", "packs/abc/2", "packs/cd/3", "index/4", "packs-old/5"]) {
      await store.put(key, utf8(key));
    }
    deepEqual(Object.keys(await allOf(store, "packs/")).sort(), ["packs/ab/1", "packs/abc/2", "packs/cd/3"]);
    deepEqual(await allOf(store, "packs/ab/"), { "packs/ab/1": 10 });
    deepEqual(await allOf(store, "none/"), {});
    equal(Object.keys(await allOf(store, "")).length, 5);
  },
  "3,000 objects are listed once each": async ({ store }) => {
    const keys = Array.from({ length: 3000 }, (_, i) => `packs/${(i % 16).toString(16).padStart(2, "0")}/${i}`);
    for (let at = 0; at < keys.length; at += 100) {
      await Promise.all(keys.slice(at, at + 100).map((key) => store.put(key, utf8(key))));
    }
    const found = await allOf(store, "packs/");
    equal(Object.keys(found).length, 3000);
    for (const key of keys) equal(found[key], key.length);
  },
  "a listing survives removals and its own end": async ({ store }) => {
    for (let i = 0; i < 200; i++) await store.put(`index/${i}`, utf8("x"));
    const seen = new Set<string>();
    for await (const { key } of store.list("index/")) {
      seen.add(key);
      if (seen.size === 1) { for (let i = 0; i < 200; i += 2) await store.remove(`index/${i}`); }
    }
    for (let i = 1; i < 200; i += 2) ok(seen.has(`index/${i}`), `index/${i} is missing`);
    for await (const _ of store.list("index/")) break;
  },
};

const REFUSING: Record<string, Check> = {
  "what is no key is refused everywhere": async ({ store }) => {
    const keys = [
      "",
      "../x",
      "packs/../x",
      ".",
      "packs/.",
      "/etc/x",
      "Packs/x",
      "packs//x",
      "packs/",
      "packs/a\0",
      "a b",
    ]
      .concat(["packs\\x", "é", "packs/.hidden", "packs/x.", "tmp/x", "tmp", "a/".repeat(8) + "a", "a".repeat(201)]);
    for (const key of keys) {
      await fails(store.put(key, utf8("x")), "usage");
      await fails(store.get(key, "all"), "usage");
      await fails(store.stat(key), "usage");
      await fails(store.remove(key), "usage");
      const writer = await store.create();
      await writer.write(utf8("x"));
      await fails(writer.commit(key), "usage");
      await writer.abort();
    }
    for (const prefix of ["packs", "../", "/", "Packs/", "packs//"]) await fails(allOf(store, prefix), "usage");
    deepEqual(await allOf(store, ""), {});
  },
  "an aborted signal interrupts every call": async ({ store }) => {
    await store.put("index/a", utf8("x"));
    const signal = AbortSignal.abort();
    await fails(store.put("index/b", utf8("x"), signal), "interrupted");
    await fails(store.create(signal), "interrupted");
    await fails(store.get("index/a", "all", signal), "interrupted");
    await fails(store.stat("index/a", signal), "interrupted");
    await fails(store.remove("index/a", signal), "interrupted");
    await fails(
      (async () => {
        for await (const _ of store.list("index/", signal)) ok(false, "listed something");
      })(),
      "interrupted",
    );
    deepEqual(await allOf(store, ""), { "index/a": 1 });
  },
  "an abort while writing leaves nothing": async ({ store }) => {
    const abort = new AbortController();
    const writer = await store.create(abort.signal);
    await writer.write(utf8("x"));
    abort.abort();
    await fails(writer.commit("index/b"), "interrupted");
    await writer.abort();
    equal(await store.stat("index/b"), undefined);
  },
  "an abort ends a listing": async ({ store }) => {
    for (let i = 0; i < 150; i++) await store.put(`index/${i}`, utf8("x"));
    const abort = new AbortController();
    let count = 0;
    await fails(
      (async () => {
        for await (const _ of store.list("index/", abort.signal)) if (++count === 1) abort.abort();
      })(),
      "interrupted",
    );
    ok(count < 150);
  },
};
