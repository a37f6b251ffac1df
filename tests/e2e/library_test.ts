/** The library as its document shows it, in a process of its own. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import * as axiom from "../../src/mod.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { pictureOfFolder } from "../faults/pictures.ts";
import { noise, writeFiles, writeSmallSource } from "../faults/source_folder.ts";

const root = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/library.md", root));
const files = openFileSystem();

function blocks(language: string): string[] {
  return [...text.matchAll(new RegExp("```" + language + "\\n(.*?)```", "gs"))].map(([, content]) => content);
}

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the examples of docs/library.md type-check, run, and print what it says", () =>
  inFolder(async (folder) => {
    const printed = blocks("text");
    equal(printed.length, 2);
    for (const [at, example] of blocks("ts").entries()) {
      const script = `${folder}/example ${at}.ts`;
      const code = example.replace('"@axiom/axiom"', JSON.stringify(new URL("src/mod.ts", root).href));
      await Deno.writeTextFile(script, code);
      const command = new Deno.Command(Deno.execPath(), {
        args: ["run", "--quiet", "--check", "-A", "--config", fileURLToPath(new URL("deno.json", root)), script],
        env: { NO_COLOR: "1" },
        cwd: fileURLToPath(root),
      });
      const ended = await command.output();
      equal(ended.code, 0, new TextDecoder().decode(ended.stderr));
      equal(new TextDecoder().decode(ended.stdout), printed[at]);
    }
  }));

const SECRET = noise("library", 64);

Deno.test("what the library saves it restores, finds, compares, tags and checks", () =>
  inFolder(async (folder) => {
    const source = `${folder}/source`;
    writeSmallSource(source);
    const options = { location: `${folder}/repository`, secret: SECRET };
    const repository = await axiom.createRepository(options);
    await rejects(axiom.createRepository(options), { kind: "repository_exists" });
    await rejects(axiom.openRepository({ ...options, secret: noise("wrong", 64) }), { kind: "password_wrong" });

    const events = new Set<string>();
    const onEvent = (event: axiom.AxiomEvent) => void events.add(event.type);
    const host = undefined, time = new Date("2020-02-02T02:02:02Z");
    const first = await axiom.backup(repository, { paths: [source], tags: ["one"], host, time, onEvent });
    deepEqual([first.filesFailed, events.has("progress")], [0, true]);
    const dry = await axiom.backup(repository, { paths: [source], dryRun: true });
    deepEqual(dry.snapshotId, null);

    writeFiles(source, { "top": "changed", "new.txt": "new" });
    const second = await axiom.backup(repository, { paths: [source] });
    const stream = new Blob(["streamed"]).stream();
    await axiom.backupStream(repository, { stream, name: "dump.sql" });
    const snapshots = await axiom.listSnapshots(repository, { filter: { paths: [source] } });
    deepEqual(snapshots.map(({ id }) => id), [first.snapshotId, second.snapshotId]);
    equal(snapshots[0].timeNs, "1580608922000000000");

    const target = `${folder}/target`, latest = { snapshot: "latest", filter: { paths: [source] } };
    await axiom.restore(repository, { ...latest, path: source, target, verify: true });
    deepEqual(pictureOfFolder(files, target), pictureOfFolder(files, source));

    const names = await Array.fromAsync(axiom.listEntries(repository, { snapshot: "latest" }), ({ path }) => path);
    deepEqual(names, ["/dump.sql"]);
    const hits = await Array.fromAsync(axiom.find(repository, { patterns: ["*.TXT"], ignoreCase: true }));
    deepEqual(hits.map(({ path, snapshotIds }) => [path, snapshotIds]), [[`${source}/new.txt`, [second.snapshotId]]]);
    const { changes } = await axiom.diff(repository, { snapshot: first.snapshotId! }, latest);
    deepEqual(
      (await Array.fromAsync(changes)).filter(({ kind }) => kind !== "metadata").map(({ kind, path }) => [kind, path]),
      [
        ["added", `${source}/new.txt`],
        ["content", `${source}/top`],
      ],
    );
    deepEqual(await axiom.listFaults(repository, { snapshot: second.snapshotId! }), []);
    const third = await axiom.backup(repository, { paths: [source, `${folder}/gone`] });
    const [fault] = await axiom.listFaults(repository, { snapshot: third.snapshotId! });
    deepEqual([fault.path, third.filesFailed], [`${folder}/gone`, 1]);
    const tooLate = new Date("9000-01-01");
    await rejects(axiom.backup(repository, { paths: [source], time: tooLate }), TypeError);
    const tagged = await axiom.tag(repository, { snapshots: [first.snapshotId!], add: ["two"] });
    deepEqual(tagged.changed.map(({ tags }) => tags), [["one", "two"]]);
    const { errors, packsRead } = await axiom.check(repository, { readData: { kind: "all" } });
    deepEqual([errors, packsRead > 0], [[], true]);
    await repository.close();
    await rejects(axiom.backup({ ...repository }, { paths: [source] }), TypeError);
  }));

Deno.test("a signal ends an operation, and a state folder remembers repositories", () =>
  inFolder(async (folder) => {
    writeSmallSource(`${folder}/source`);
    const options = { location: `${folder}/repository`, secret: SECRET, stateFolder: `${folder}/state` };
    const repository = await axiom.createRepository(options);
    const backup = axiom.backup(repository, { paths: [`${folder}/source`], signal: AbortSignal.abort() });
    await rejects(backup, { kind: "interrupted" });
    deepEqual(await axiom.listSnapshots(repository), []);
    await repository.close();
    await Deno.remove(options.location, { recursive: true });
    await (await axiom.createRepository({ ...options, stateFolder: undefined })).close();
    await rejects(axiom.openRepository(options), { kind: "repository_changed" });
    await (await axiom.openRepository({ ...options, stateFolder: undefined })).close();
  }));
