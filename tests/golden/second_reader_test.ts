/** The reader in Python, which shares nothing with the program but docs/format.md, against what the program wrote. */
import { deepStrictEqual, match } from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { utf8 } from "../../src/base/bytes.ts";
import { sortNames } from "../../src/base/names.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { bringBack, withFolder } from "../faults/test_repository.ts";
import { copyGolden, openGolden, portable, readGolden, secretsOf } from "./golden_repository.ts";
import { type ListedEntry, listFolder } from "./listing.ts";
import { findPython, type Python } from "./python.ts";

const READER = "second_reader.py";
const python = await findPython();
const files = openFileSystem();
const golden = await readGolden();
const skipped = python === undefined
  ? " (skipped: no Python with cryptography, zstandard and argon2-cffi, and none could be installed)"
  : "";
const withoutRawNames = files.fidelity.rawNames
  ? ""
  : ` (skipped: ${files.fidelity.implementation} has no names of bytes)`;

function test(name: string, why: string, fn: (python: Python, t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name: name + why, ignore: why !== "", fn: (t) => fn(python!, t) });
}

/** Runs with a copy of the repository, and options by which the reader opens it with the key file. */
function withCopy(run: (folder: string, options: string[]) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    await copyGolden(`${folder}/repository`);
    await Deno.writeFile(`${folder}/key`, golden.keyFile);
    await run(folder, [`${folder}/repository`, "--key-file", `${folder}/key`, "--below", golden.source]);
  });
}

interface Listed {
  head: Record<string, unknown>;
  entries: ListedEntry[];
}

async function list(python: Python, ...options: string[]): Promise<Listed> {
  const [head, ...entries] = (await python.run(READER, ...options, "list")).trimEnd().split("\n").map((line) =>
    JSON.parse(line)
  );
  return { head, entries };
}

test("a reader in Python computes all vectors again", skipped, async (python) => {
  const path = fileURLToPath(new URL("vectors.json", import.meta.url));
  const { verified } = JSON.parse(await python.run("second_reader_vectors.py", path));
  deepStrictEqual(verified, Object.keys(JSON.parse(await Deno.readTextFile(path))).sort());
});

test("a reader in Python lists what the golden repository holds", skipped, async (python, t) => {
  await withCopy(async (folder, options) => {
    const repository = [`${folder}/repository`, "--below", golden.source];
    const newest = golden.snapshots.at(-1)!;
    for (const [name, password] of [["Argon2id", golden.password], ["PBKDF2", golden.secondPassword]]) {
      await t.step(`the latest snapshot, by a password and ${name}`, async () => {
        const { head, entries } = await list(python, ...repository, "--password", password);
        deepStrictEqual([head.repository_id, head.latest], [golden.repositoryId, newest.id]);
        deepStrictEqual([head.epochs, head.undescribed, head.packs], [[1, 2], 1, 2]);
        deepStrictEqual(head.snapshots, golden.snapshots.map(({ id }) => id).sort());
        deepStrictEqual(entries, newest.entries);
      });
    }
    await t.step("the first snapshot, by a key file", async () => {
      const [first] = golden.snapshots;
      deepStrictEqual((await list(python, ...options, "--snapshot", first.id)).entries, first.entries);
    });
    await t.step("nothing, by a wrong password", async () => {
      match(
        await python.failure(READER, ...repository, "--password", "wrong", "list"),
        /^refused: the secret opens no/,
      );
    });
  });
});

test("a reader in Python extracts what the program restores", skipped || withoutRawNames, async (python) => {
  await withCopy(async (folder, options) => {
    await python.run(READER, ...options, "extract", `${folder}/extracted`);
    const repository = await openGolden(`${folder}/repository`, secretsOf(golden)[2]);
    const { snapshots } = await repository.snapshots();
    await bringBack(repository, snapshots.at(-1)!, golden.source, `${folder}/restored`, { owners: false });
    await repository.close();
    const [extracted, restored] = ["extracted", "restored"].map((name) =>
      listFolder(files, `${folder}/${name}`).map(portable)
    );
    deepStrictEqual(extracted, restored);
    deepStrictEqual(restored, golden.snapshots.at(-1)!.entries.map(portable));
  });
});

test("a reader in Python refuses a flipped bit in any object that it needs", skipped, async (python, t) => {
  await withCopy(async (folder, options) => {
    await list(python, ...options);
    for (const prefix of ["config/", "keyring/", "index/", "packs/", "snapshots/", "ledger/"]) {
      await t.step(prefix, async () => {
        const key = sortNames([...golden.objects.keys()].filter((key) => key.startsWith(prefix))).at(-1)!;
        const path = `${folder}/repository/${key}`;
        const whole = await Deno.readFile(path);
        const data = whole.slice();
        data[data.length >> 1] ^= 4;
        await Deno.writeFile(path, data);
        match(await python.failure(READER, ...options, "list"), /^refused: /);
        await Deno.writeFile(path, whole);
      });
    }
  });
});

test("a reader in Python looks at what decoders are called", skipped, async (python) => {
  await withCopy(async (folder, options) => {
    const module = utf8("a module that is not run"), name = createHash("sha256").update(module).digest("hex");
    await Deno.mkdir(`${folder}/repository/codecs`);
    await Deno.writeFile(`${folder}/repository/codecs/${name}.wasm`, module);
    await Deno.writeFile(`${folder}/repository/codecs/${name}.wasm.minisig`, utf8("a signature"));
    await list(python, ...options);
    await Deno.writeFile(`${folder}/repository/codecs/${name}.wasm`, utf8("another module"));
    match(await python.failure(READER, ...options, "list"), /^refused: the decoder/);
  });
});
