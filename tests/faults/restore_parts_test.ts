/** What restores write beside the final names, and snapshots that hold such names themselves. */
import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { partName } from "../../src/operations/restore_parts.ts";
import { SystemError } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { AlteredTargets } from "./faulty_files.ts";
import { pictureOfFolder } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, type Events, savedOnce, SMALL_PACKS, withFolder } from "./test_repository.ts";

const files = openFileSystem();
const BYTES = 300_000;

Deno.test("a snapshot that holds the names of parts is restored with all of them", async (t) => {
  const more: Record<string, string> = {
    "one part": "",
    "-before it": "x",
    "and so many that the folder is spread": "x",
  };
  for (const [name, extra] of Object.entries(more)) {
    await t.step(name, () =>
      withFolder(async (folder) => {
        const source = `${folder}/source`, target = `${folder}/target`;
        const large = ["large", "zebra"];
        for (const each of large) {
          writeFiles(source, { [each]: noise(each, BYTES), [partName(each)]: `a part of ${each}` });
          writeFiles(source, { [partName(each, new Set([partName(each)]))]: noise(each, BYTES) });
        }
        Deno.linkSync(`${source}/large`, `${source}/second`);
        writeFiles(source, { [partName("second")]: "a part of a link" });
        if (extra !== "") writeFiles(source, { [name]: extra });
        if (name.startsWith("and")) {
          for (let i = 0; i < 3000; i++) writeFiles(source, { [`${i % 2 ? "-" : "n"}${i}`]: "" });
        }
        const { repository, snapshot } = await savedOnce(source, undefined, SMALL_PACKS);
        const picture = pictureOfFolder(files, source);
        for (const round of ["new", "again", "changed", "deleting"]) {
          if (round === "changed") writeFiles(target, { large: noise("other", BYTES) });
          if (round === "deleting") writeFiles(target, { zebra: "changed", [partName("gone")]: "left" });
          const options = { delete: round === "deleting", verify: true };
          const { filesFailed, filesDeleted } = await bringBack(repository, snapshot, source, target, options);
          equal(filesFailed, 0, round);
          equal(filesDeleted, round === "deleting" ? 1 : 0);
          deepEqual(pictureOfFolder(files, target), picture, round);
        }
      }));
  }
});

Deno.test("what an interrupted restore wrote is used only if the user may read and write it", async (t) => {
  const cases: { mode: number; isUsed: boolean }[] = [
    { mode: 0o600, isUsed: true },
    { mode: 0o644, isUsed: true },
    { mode: 0o400, isUsed: false },
    { mode: 0o200, isUsed: false },
    { mode: 0, isUsed: false },
  ];
  for (const { mode, isUsed } of cases) {
    await t.step(mode.toString(8), () =>
      withFolder(async (folder) => {
        const source = `${folder}/source`, target = `${folder}/target`, part = `${target}/${partName("large")}`;
        writeFiles(source, { large: noise("large", BYTES) });
        writeFiles(target, { [partName("large")]: noise("large", BYTES) });
        Deno.chmodSync(part, mode);
        const { repository, snapshot } = await savedOnce(source, undefined, SMALL_PACKS);
        const { filesFailed, bytesWritten } = await bringBack(repository, snapshot, source, target);
        equal(filesFailed, 0);
        equal(bytesWritten, isUsed ? 0 : BYTES);
        deepEqual(pictureOfFolder(files, target).get("large"), pictureOfFolder(files, source).get("large"));
      }));
  }
});

/** Fails one call, of any path or of paths that match. */
function failingTargets(failing: string, path = /^/): AlteredTargets {
  return new AlteredTargets((_tree, call, args, go) => {
    if (call === failing && path.test(String(args.at(-1)))) throw new SystemError("EPERM", call, String(args[0]));
    return go(...args);
  });
}

Deno.test("(14) what a link or a node should replace outlives that it cannot be made", async (t) => {
  const kinds: { name: string; call: string; make: (source: string) => void }[] = [
    {
      name: "another name",
      call: "makeLink",
      make: (source) => (writeFiles(source, { a: "linked" }), Deno.linkSync(`${source}/a`, `${source}/it`)),
    },
    { name: "a symbolic link", call: "makeSymlink", make: (source) => Deno.symlinkSync("there", `${source}/it`) },
    {
      name: "a node",
      call: "makeNode",
      make: (source) => {
        const tree = files.openTarget(source);
        tree.makeNode("it", "fifo", 0, 0);
        tree.close();
      },
    },
  ];
  for (const { name, call, make } of kinds) {
    for (const failing of [call, "rename"]) {
      await t.step({
        name: `${name}: ${failing}`,
        ignore: !files.fidelity.specialFiles,
        fn: () =>
          withFolder(async (folder) => {
            const source = `${folder}/source`, target = `${folder}/target`, events: Events = [];
            Deno.mkdirSync(source);
            make(source);
            const { repository, snapshot } = await savedOnce(source, events);
            writeFiles(target, { it: "mine, kept nowhere else" });
            const faulty = failingTargets(failing, failing === "rename" ? /^it$/ : undefined);
            const { filesFailed } = await bringBack(repository, snapshot, source, target, { files: faulty });
            equal(filesFailed, 1);
            equal(Deno.readTextFileSync(`${target}/it`), "mine, kept nowhere else");
            const names = [...Deno.readDirSync(target)].map((entry) => entry.name);
            deepEqual(names.filter((each) => each.startsWith(".axiom")), []);
            writeFiles(target, { [partName("it")]: "left by a run that ended" });
            equal((await bringBack(repository, snapshot, source, target)).filesFailed, 0);
            deepEqual(pictureOfFolder(files, target), pictureOfFolder(files, source));
          }),
      });
    }
  }
});

Deno.test("(14) a folder where a small file should be written first is that file's fault alone", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    writeFiles(source, { a: "a", small: "small" });
    writeFiles(target, { small: "older", [`${partName("small")}/in`]: "the way" });
    const { repository, snapshot } = await savedOnce(source, []);
    const { filesFailed, filesRestored } = await bringBack(repository, snapshot, source, target);
    equal(filesFailed, 1);
    equal(filesRestored, 1);
    equal(Deno.readTextFileSync(`${target}/small`), "older");
  });
});
