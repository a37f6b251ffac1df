import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { withFolder } from "../../tests/faults/test_repository.ts";
import { CACHE_TAG } from "../stages/select.ts";
import { CACHE_TAG_NAME, cacheClear, cacheList, prepareCatalogueFile } from "./cache_folder.ts";

const ONE = "1".repeat(32);
const TWO = "2".repeat(32);

Deno.test("a cache is tagged, private, listed and cleared", async () => {
  await withFolder(async (folder) => {
    const cache = `${folder}/deep/cache`;
    deepEqual(await cacheList(cache), []);
    deepEqual(await cacheClear(cache), []);
    for (const id of [ONE, TWO, ONE]) {
      const file = await prepareCatalogueFile(cache, id);
      equal(file, `${cache}/${id}/catalogue.sqlite`);
      await Deno.writeTextFile(file, id === ONE ? "12345" : "1");
    }
    equal(CACHE_TAG_NAME, CACHE_TAG.name);
    ok((await Deno.readTextFile(`${cache}/${CACHE_TAG_NAME}`)).startsWith(CACHE_TAG.header!));
    if (Deno.build.os !== "windows") equal(Deno.lstatSync(`${cache}/${ONE}`).mode! & 0o777, 0o700);
    const listed = await cacheList(cache);
    deepEqual(listed.map(({ repositoryId, sizeBytes }) => [repositoryId, sizeBytes]).sort(), [[ONE, 5], [TWO, 1]]);
    ok(listed.every(({ changedMs }) => Math.abs(changedMs - Date.now()) < 60_000));
    deepEqual((await cacheClear(cache, TWO)).map(({ repositoryId }) => repositoryId), [TWO]);
    deepEqual((await cacheList(cache)).map(({ repositoryId }) => repositoryId), [ONE]);
    deepEqual((await cacheClear(cache)).length, 1);
    deepEqual([...Deno.readDirSync(cache)].map(({ name }) => name), [CACHE_TAG_NAME]);
  });
});

Deno.test("clearing a cache touches nothing else", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/${ONE}`);
    await Deno.writeTextFile(`${folder}/${ONE}/thesis`, "years of work");
    await rejects(cacheClear(folder), { kind: "usage" });
    await Deno.writeTextFile(`${folder}/${CACHE_TAG_NAME}`, "something else");
    await rejects(cacheClear(folder), { kind: "usage" });
    equal(await Deno.readTextFile(`${folder}/${ONE}/thesis`), "years of work");
    const cache = `${folder}/cache`;
    await prepareCatalogueFile(cache, ONE);
    await Deno.mkdir(`${cache}/other`);
    await Deno.writeTextFile(`${cache}/${TWO}`, "a file of such a name");
    await Deno.symlink(folder, `${cache}/${"3".repeat(32)}`);
    await cacheClear(cache);
    const left = [...Deno.readDirSync(cache)].map(({ name }) => name).sort();
    deepEqual(left, [TWO, "3".repeat(32), CACHE_TAG_NAME, "other"].sort());
    equal(await Deno.readTextFile(`${folder}/${ONE}/thesis`), "years of work");
  });
});

Deno.test("only the id of a repository becomes a folder's name", async () => {
  await withFolder(async (folder) => {
    for (const id of ["", "..", "a/b", "x".repeat(32), "A".repeat(32)]) {
      await rejects(prepareCatalogueFile(folder, id), RangeError);
    }
  });
});
