import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { systemClock } from "../base/clock.ts";
import { decodeName } from "../base/names.ts";
import { withFolder } from "../../tests/faults/test_repository.ts";
import { CatalogueDatabase } from "./catalogue_database.ts";
import { CatalogueNames, CatalogueNameWriter, NAME_END, NAME_START, type NameQuery } from "./catalogue_names.ts";

async function withDatabase(run: (database: CatalogueDatabase) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const file = `${folder}/names.sqlite`;
    const database = await CatalogueDatabase.open(file, "0".repeat(32), { clock: systemClock });
    try {
      await run(database);
    } finally {
      database.close();
    }
  });
}

async function add(database: CatalogueDatabase, names: readonly string[]): Promise<number[]> {
  await database.begin();
  const writer = new CatalogueNameWriter(database);
  const numbers = names.map((name) => writer.add(name));
  writer.flush();
  await database.commit();
  return numbers;
}

/** Names as bytes have them, with letters whose case is peculiar. */
const nameArbitrary = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => decodeName(bytes.map((byte) => byte === 0 ? 1 : byte))),
  fc.string({
    unit: fc.constantFrom(..."aAbkKsSſ\u212aßẞıİiIéÉσςΣ\u{1f600}\udcff\u0002\u0003\"' "),
    minLength: 1,
    maxLength: 8,
  }),
);

Deno.test("each name has one number, whatever its bytes, over several writers", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(nameArbitrary, { maxLength: 40 }),
      fc.array(nameArbitrary, { maxLength: 40 }),
      async (one, two) => {
        await withDatabase(async (database) => {
          const numbers = [...await add(database, one), ...await add(database, two)];
          const names = [...one, ...two];
          const read = await database.read(() => {
            const reader = new CatalogueNames(database);
            return numbers.map((number) => reader.name(number));
          });
          deepEqual(read, names);
          equal(new Set(numbers).size, new Set(names).size);
        });
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("5,000 names fill several blocks and are found again", async () => {
  await withDatabase(async (database) => {
    const names = Array.from({ length: 5000 }, (_, i) => `name ${i}`);
    const numbers = await add(database, names.slice(0, 3000));
    numbers.push(...await add(database, names));
    deepEqual(numbers.slice(3000), Array.from(names, (_, i) => i));
    const reader = new CatalogueNames(database);
    deepEqual(await database.read(() => [0, 511, 512, 4999].map((number) => reader.name(number))), [
      "name 0",
      "name 511",
      "name 512",
      "name 4999",
    ]);
  });
});

Deno.test("a search by trigrams finds what looking at every name finds", async () => {
  const piece = fc.string({
    unit: fc.constantFrom(..."aAkKsSſ\u212aé\udcff\"'"),
    minLength: 1,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(nameArbitrary, { maxLength: 60 }),
      piece,
      fc.boolean(),
      fc.constantFrom("start", "end", "inside", "whole"),
      async (some, literal, ignoreCase, where) => {
        await withDatabase(async (database) => {
          const names = [...new Set([...some, literal, `x${literal}`, `${literal}x`, `x${literal.toUpperCase()}y`])];
          await add(database, names);
          const flags = ignoreCase ? "siu" : "su";
          const start = where === "start" || where === "whole";
          const end = where === "end" || where === "whole";
          const test = new RegExp(`${start ? "^" : ""}${literal}${end ? "$" : ""}`, flags);
          const literals = [(start ? NAME_START : "") + literal + (end ? NAME_END : "")];
          const query: NameQuery = { literals, ignoreCase, matches: (name) => test.test(name) };
          const found = await database.read(() => {
            const reader = new CatalogueNames(database);
            return reader.search(query).map((number) => reader.name(number));
          });
          deepEqual(found.sort(), names.filter((name) => test.test(name)).sort());
        });
      },
    ),
    { numRuns: 60 },
  );
});
