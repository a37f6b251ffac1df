/** The first version's repository must stay readable for ever: these tests may change, `repository/` may not. */
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Content } from "../../src/model/entry.ts";
import { check } from "../../src/operations/check.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { readLedger } from "../../src/repository/ledger.ts";
import type { Repository } from "../../src/repository/repository.ts";
import type { StoredSnapshot } from "../../src/repository/snapshots.ts";
import { TreeReader } from "../../src/repository/tree_reader.ts";
import { inProcessPool } from "../faults/in_process_pool.ts";
import { bringBack, withFolder } from "../faults/test_repository.ts";
import { copyGolden, GOLDEN_FOLDER, openGolden, portable, readGolden, secretsOf } from "./golden_repository.ts";
import { findEntry, listFolder, listSnapshot } from "./listing.ts";

const files = openFileSystem();
const golden = await readGolden();
const [, , keyFile] = secretsOf(golden);
const withoutRawNames = files.fidelity.rawNames
  ? ""
  : ` (skipped: ${files.fidelity.implementation} has no names of bytes)`;

function withGolden(run: (repository: Repository, folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await copyGolden(`${folder}/repository`);
    const repository = await openGolden(`${folder}/repository`, keyFile);
    await run(repository, folder);
    await repository.close();
  });
}

async function snapshotsOf(repository: Repository): Promise<StoredSnapshot[]> {
  const { snapshots, damaged, unfinished } = await repository.snapshots();
  deepStrictEqual([damaged, unfinished.length], [[], 1]);
  deepStrictEqual(snapshots.map(({ id }) => id), golden.snapshots.map(({ id }) => id));
  return snapshots;
}

Deno.test("the golden repository is the one that was committed", async () => {
  const found = new Map<string, string>();
  const visit = async (folder: URL, key: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await visit(new URL(`${name}/`, folder), `${key}${name}/`);
      else {
        const data = await Deno.readFile(new URL(name, folder));
        found.set(key + name, createHash("sha256").update(data).digest("hex"));
      }
    }
  };
  await visit(GOLDEN_FOLDER, "");
  deepStrictEqual(new Map([...found].sort()), new Map([...golden.objects].sort()));
});

Deno.test("the golden repository opens with each of its secrets", async (t) => {
  await withFolder(async (folder) => {
    await copyGolden(folder);
    for (const [i, secret] of secretsOf(golden).entries()) {
      await t.step(["password by Argon2id", "password by PBKDF2", "key file"][i], async () => {
        const repository = await openGolden(folder, secret);
        strictEqual(repository.id, golden.repositoryId);
        const { configGeneration, keyringGeneration, access, warnings } = repository.opened;
        deepStrictEqual([configGeneration, keyringGeneration, access, warnings], [2, 2, {}, []]);
        deepStrictEqual(repository.config.a_later_member, { list: [1, "two", null] });
        await repository.close();
      });
    }
  });
});

Deno.test("everything in the golden repository verifies", async () => {
  await withGolden(async (repository) => {
    const pool = () => inProcessPool();
    const summary = await check(repository, { readData: { kind: "all" } }, { pool, onEvent: () => {} });
    deepStrictEqual(summary.errors, []);
    deepStrictEqual([summary.packsChecked, summary.packsRead, summary.snapshotsChecked], [2, 2, 2]);
    const { records, damaged } = await readLedger(repository.store, repository.sealer);
    deepStrictEqual([records.map(({ record }) => record.reason), damaged], [["tag"], []]);
  });
});

Deno.test("the snapshots of the golden repository hold what was saved", async () => {
  await withGolden(async (repository) => {
    for (const [i, stored] of (await snapshotsOf(repository)).entries()) {
      deepStrictEqual(await listSnapshot(repository, stored, golden.source), golden.snapshots[i].entries);
      deepStrictEqual(stored.snapshot.tags, golden.snapshots[i].tags);
    }
  });
});

Deno.test({
  name: `the golden repository is restored as it was saved${withoutRawNames}`,
  ignore: withoutRawNames !== "",
  fn: async () => {
    await withGolden(async (repository, folder) => {
      for (const [i, stored] of (await snapshotsOf(repository)).entries()) {
        const target = `${folder}/restored ${i}`;
        await bringBack(repository, stored, golden.source, target, { owners: Deno.uid() === 0 });
        deepStrictEqual(listFolder(files, target).map(portable), golden.snapshots[i].entries.map(portable));
      }
    });
  },
});

Deno.test("the golden repository has every form of content that it was made for", async () => {
  await withGolden(async (repository) => {
    const chunks = repository.chunks(await repository.loadIndex());
    const trees = new TreeReader(chunks.document);
    const [first] = await snapshotsOf(repository);
    const find = (path: string) => findEntry(trees, first.snapshot.root, `${golden.source}/${path}`);
    const contentOf = async (name: string): Promise<Content> => (await find(`contents/${name}`)).content!;
    ok("children" in await trees.node((await find("many")).subtree!), "a folder of several leaves");
    strictEqual((await contentOf("chunks.txt")).depth, 1);
    strictEqual((await contentOf("plain.txt")).kind, "plain");
    ok((await contentOf("sparse")).elements!.filter((element) => typeof element !== "string").length > 1, "holes");
    deepStrictEqual((await find("contents/database.db")).chunker, { algorithm: "fixed-1", block_bytes: 4096 });
    ok((await find("contents/attributes")).xattrs!.some(({ chunks }) => chunks !== undefined), "a large attribute");
    const view = await repository.loadIndex();
    deepStrictEqual([view.objects.superseded.length, view.unindexed.length], [1, 1]);
    const tables = await Promise.all(view.index.packs().map((pack) => repository.packs.table(pack)));
    deepStrictEqual(
      [...new Set(tables.flatMap(({ dictionary }) => dictionary.map(({ formatId }) => formatId)))].sort(),
      [
        "aes-256-cbc-hmac-sha256-1",
        "aes-256-ctr-hmac-sha256-1",
        "aes-256-gcm-1",
        "none",
        "plain-hmac-sha256-1",
        "zstd-1",
      ],
    );
    deepStrictEqual(view.index.packs().map(({ epoch }) => epoch).sort(), [1, 2]);
  });
});
