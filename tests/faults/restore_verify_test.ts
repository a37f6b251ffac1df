import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { SystemError, type TargetTree } from "../../src/platform/file_system.ts";
import { isRoot } from "../../src/platform/file_system_fixture.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { AlteredTargets } from "./faulty_files.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, type Events, savedOnce, withFolder } from "./test_repository.ts";

const files = openFileSystem();
const USER_XATTRS = files.fidelity.xattrs && files.fidelity.implementation !== "portable";

function writeSource(folder: string): void {
  writeFiles(folder, { "a/file": noise("file", 20_000), "a/linked": "linked", "a/sub/inner": "inner" });
  Deno.linkSync(`${folder}/a/linked`, `${folder}/a/sub/linked`);
  Deno.symlinkSync("there", `${folder}/a/link`);
  using sparse = Deno.openSync(`${folder}/a/sparse`, { write: true, create: true });
  sparse.truncateSync(1024 * 1024);
  sparse.writeSync(noise("head", 4096));
}

/** Something else meddles once all is restored, before it is compared. */
function meddledTargets(meddle: (tree: TargetTree) => void): AlteredTargets {
  return new AlteredTargets((tree, call, args, go) => {
    const result = go(...args);
    if (call === "sync") meddle(tree);
    return result;
  });
}

function write(tree: TargetTree, path: string, offset: number): void {
  const stat = tree.lstat(path)!;
  const file = tree.openFile(path);
  file.write(Uint8Array.of(1, 2, 3), offset);
  file.setMetadata(stat);
  file.close();
}

/** Does `action` and sets the folder's time back. */
function unnoticed(tree: TargetTree, folder: string, action: () => void): void {
  const stat = tree.lstat(folder)!;
  action();
  tree.setMetadata(folder, stat);
}

const CASES: {
  name: string;
  path: string;
  meddle: (tree: TargetTree, path: string) => void;
  says: RegExp;
  ignore?: boolean;
}[] = [
  {
    name: "a byte of a file",
    path: "a/file",
    meddle: (tree, path) => write(tree, path, 500),
    says: /at byte 0 reads back/,
  },
  {
    name: "a byte in a hole",
    path: "a/sparse",
    meddle: (tree, path) => write(tree, path, 700_000),
    says: /700000 is in a hole/,
  },
  {
    name: "a length",
    path: "a/file",
    meddle: (tree, path) => write(tree, path, 20_000),
    says: /it has 20003 bytes, not 20000/,
  },
  {
    name: "a mode",
    path: "a/file",
    meddle: (tree, path) => tree.setMetadata(path, { ...tree.lstat(path)!, mode: 0o751 }),
    says: /its mode is 751, not 6/,
  },
  {
    name: "a folder's mode",
    path: "a/sub",
    meddle: (tree, path) => tree.setMetadata(path, { ...tree.lstat(path)!, mode: 0o751 }),
    says: /its mode is 751, not 7/,
  },
  {
    name: "a time",
    path: "a/sub/inner",
    meddle: (tree, path) => tree.setMetadata(path, { ...tree.lstat(path)!, mtimeNs: "5000000000" }),
    says: /its time of change is 5000000000, not \d+$/,
  },
  {
    name: "an owner",
    path: "a/file",
    meddle: (tree, path) => tree.setMetadata(path, { ...tree.lstat(path)!, uid: 4711 }),
    says: /its owner is 4711, not 0/,
    ignore: !isRoot,
  },
  {
    name: "an attribute",
    path: "a/file",
    meddle: (tree, path) =>
      tree.setMetadata(path, { ...tree.lstat(path)!, xattrs: [{ name: "user.new", value: new Uint8Array(3) }] }),
    says: /it has the attribute user.new/,
    ignore: !USER_XATTRS,
  },
  {
    name: "where a link leads",
    path: "a/link",
    meddle: (tree, path) =>
      unnoticed(tree, "a", () => {
        const stat = tree.lstat(path)!;
        tree.remove(path);
        tree.makeSymlink(path, "elsewhere");
        tree.setMetadata(path, stat);
      }),
    says: /it leads elsewhere$/,
  },
  {
    name: "a name of its own",
    path: "a/sub/linked",
    meddle: (tree, path) =>
      unnoticed(tree, "a/sub", () => {
        const stat = tree.lstat(path)!;
        tree.remove(path);
        const copy = tree.createFile(path);
        copy.write(new TextEncoder().encode("linked"), 0);
        copy.setMetadata(stat);
        copy.close();
      }),
    says: /it is not the same file as a\/linked$/,
  },
  {
    name: "another kind",
    path: "a/link",
    meddle: (tree, path) => unnoticed(tree, "a", () => (tree.remove(path), tree.createFile(path).close())),
    says: /it is a file, not a symlink$/,
  },
  {
    name: "nothing",
    path: "a/sub/inner",
    meddle: (tree, path) => unnoticed(tree, "a/sub", () => tree.remove(path)),
    says: /it is not there$/,
  },
];

Deno.test("restore with verify finds everything that is not as the snapshot has it, and says what", {
  ignore: Deno.build.os !== "linux",
}, async (t) => {
  await withFolder(async (folder) => {
    const events: Events = [], source = `${folder}/source`;
    writeSource(source);
    const { repository, snapshot } = await savedOnce(source, events);
    for (const { name, path, meddle, says, ignore } of CASES) {
      await t.step({
        name,
        ignore,
        fn: async () => {
          const target = `${folder}/${name}`;
          const meddled = meddledTargets((tree) => meddle(tree, path));
          const summary = await bringBack(repository, snapshot, source, target, { verify: true, files: meddled });
          const errors = events.splice(0).flatMap((event) => event.type === "error" ? [event] : []);
          deepEqual(errors.map((error) => error.path), [path]);
          match(errors[0].error.message, says);
          equal(errors[0].error.kind, "target_unwritable");
          equal(summary.filesFailed, 1);
          equal(summary.damaged, false);
        },
      });
    }
    await t.step("an honest target, counted", async () => {
      const summary = await bringBack(repository, snapshot, source, `${folder}/honest`, { verify: true });
      equal(summary.filesFailed, 0);
      equal(summary.filesVerified, 5);
    });
  });
});

Deno.test("restore with verify looks below a folder whose own metadata could not be set", async () => {
  await withFolder(async (folder) => {
    const events: Events = [], source = `${folder}/source`, target = `${folder}/target`;
    writeFiles(source, { "d/f": "right", "d/g": "right", "h": "right" });
    const { repository, snapshot } = await savedOnce(source, events);
    const unsettable = new AlteredTargets((_tree, call, args, go) => {
      if (call !== "setMetadata" || args[0] !== "d") return go(...args);
      Deno.writeTextFileSync(`${target}/d/f`, "WRONG");
      throw new SystemError("EIO", "open", "d");
    });
    const summary = await bringBack(repository, snapshot, source, target, { verify: true, files: unsettable });
    const errors = events.flatMap((event) => event.type === "error" ? [event] : []);
    deepEqual(errors.map(({ path }) => path), ["d", "d/f"], "each once");
    match(errors[1].error.message, /reads back as something else/);
    equal(summary.filesVerified, 2);
  });
});

Deno.test("restore with verify leaves out what was skipped", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`;
    writeSource(source);
    writeFiles(target, { "a/file": "mine", "a/sparse": "mine too" });
    const { repository, snapshot } = await savedOnce(source);
    const options = { verify: true, overwrite: "never" } as const;
    const summary = await bringBack(repository, snapshot, source, target, options);
    equal(summary.filesFailed, 0);
    equal(summary.filesSkipped, 2);
    equal(summary.filesVerified, 3);
  });
});
