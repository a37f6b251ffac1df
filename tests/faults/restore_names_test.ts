/** Names that the target takes for one. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import type { RestoreOptions } from "../../src/operations/restore.ts";
import type { FileSystem } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { AlteredTargets } from "./faulty_files.ts";
import { asciiFoldingFiles, foldingFiles } from "./folding_files.ts";
import { pictureOfFolder } from "./pictures.ts";
import { noise, writeFiles } from "./source_folder.ts";
import { bringBack, type Events, savedOnce, SMALL_PACKS, withFolder } from "./test_repository.ts";

const [COMPOSED, DECOMPOSED] = ["NFC", "NFD"].map((form) => "각".normalize(form)); // letters without case

type Make = (source: string) => void;
const CASES: { name: string; pair: [string, string]; make: Make }[] = [
  {
    name: "files of many frames",
    pair: ["FILE", "file"],
    make: (source) => writeFiles(source, { "d/FILE": noise("one", 200_000), "d/file": noise("two", 200_000) }),
  },
  {
    name: "files in one frame",
    pair: ["SMALL", "small"],
    make: (source) => writeFiles(source, { "d/SMALL": "one", "d/small": "two" }),
  },
  {
    name: "a large and a small file",
    pair: ["Mixed", "mixed"],
    make: (source) => writeFiles(source, { "d/Mixed": noise("large", 200_000), "d/mixed": "two" }),
  },
  {
    name: "empty files",
    pair: ["EMPTY", "empty"],
    make: (source) => writeFiles(source, { "d/EMPTY": "", "d/empty": "" }),
  },
  {
    name: "forms of one letter",
    pair: [DECOMPOSED, COMPOSED],
    make: (source) => writeFiles(source, { [`d/${COMPOSED}`]: "one", [`d/${DECOMPOSED}`]: "two" }),
  },
  {
    name: "symbolic links",
    pair: ["LINK", "link"],
    make: (source) => {
      for (const name of ["LINK", "link"]) Deno.symlinkSync(`to ${name}`, `${source}/d/${name}`);
    },
  },
  {
    name: "a file and a symbolic link",
    pair: ["FILE", "file"],
    make: (source) => {
      writeFiles(source, { "d/FILE": "one" });
      Deno.symlinkSync("there", `${source}/d/file`);
    },
  },
  {
    name: "names of one file",
    pair: ["LINK", "link"],
    make: (source) => {
      writeFiles(source, { "d/LINK": "one" });
      Deno.linkSync(`${source}/d/LINK`, `${source}/d/link`);
    },
  },
  {
    name: "folders",
    pair: ["DIR", "dir"],
    make: (source) => writeFiles(source, { "d/DIR/f": "one", "d/dir/f": "two", "d/dir/g": "two" }),
  },
];

async function withPair(make: Make, run: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`, events: Events = [];
    writeFiles(source, { "d/0 other": "other", "d/z": "z" });
    make(source);
    const { repository, snapshot } = await savedOnce(source, events, SMALL_PACKS);
    const restored = async (options: Partial<RestoreOptions> = {}, files: FileSystem = foldingFiles) => {
      events.length = 0;
      const summary = await bringBack(repository, snapshot, source, target, { files, ...options });
      return { ...summary, errors: events.flatMap((event) => event.type === "error" ? [event.error.message] : []) };
    };
    await run({ source, target, restored });
  });
}

interface Scene {
  source: string;
  target: string;
  restored: (
    options?: Partial<RestoreOptions>,
    files?: FileSystem,
  ) => Promise<{ errors: string[]; filesFailed: number; filesDeleted: number }>;
}

Deno.test("(29) of two names that a target takes for one, one is restored and the other told of, in every run", async (t) => {
  for (const { name, pair, make } of CASES) {
    for (const remove of [false, true]) {
      await t.step(
        `${name}${remove ? ", with delete" : ""}`,
        () =>
          withPair(make, async ({ source, target, restored }) => {
            const picture = pictureOfFolder(openFileSystem(), source);
            for (const round of ["new", "again", "a third time"]) {
              const { errors, filesFailed } = await restored({ verify: true, delete: remove });
              equal(errors.length, 1, `${round}: ${errors}`);
              equal(filesFailed, 1);
              const standing = [...Deno.readDirSync(`${target}/d`)].map((entry) => entry.name);
              const [one] = standing.filter((each) => pair.includes(each));
              deepEqual(standing.sort(), ["0 other", one, "z"].sort(), round);
              const other = pair.find((each) => each !== one)!;
              match(errors[0], new RegExp(`^Cannot restore d/${other}: the target takes .* that of d/${one}, which`));
              for (const [path, line] of pictureOfFolder(openFileSystem(), target)) {
                const expected = picture.get(path)!.replace(/ = .*/, "");
                if (path.startsWith("d/")) equal(line, expected, `${round}: ${path}`);
              }
            }
          }),
      );
    }
  }
});

Deno.test("(29) what stands under a name that the target takes for another stays, also with delete", async (t) => {
  const makes: { name: string; make: Make; mine: string[] }[] = [
    { name: "file", make: (source) => writeFiles(source, { "d/readme": "theirs" }), mine: ["d/README"] },
    { name: "link", make: (source) => Deno.symlinkSync("x", `${source}/d/readme`), mine: ["d/README"] },
    { name: "folder", make: (source) => writeFiles(source, { "d/sub/f": "theirs" }), mine: ["d/SUB/f", "d/SUB/own"] },
  ];
  for (const { name, make, mine } of makes) {
    for (const select of [undefined, (_: string, isFolder: boolean) => !isFolder]) {
      await t.step(
        `${name}${select === undefined ? "" : ", folders only as needed"}`,
        () =>
          withPair(make, async ({ target, restored }) => {
            for (const path of mine) writeFiles(target, { [path]: "mine" });
            for (const options of [{ dryRun: true }, {}, { delete: true }, { delete: true, verify: true }]) {
              const { errors, filesDeleted } = await restored({ select, ...options });
              equal(errors.length, 1, `${errors}`);
              ok(errors[0].includes(mine[0].split("/")[1]));
              equal(filesDeleted, 0);
              for (const path of mine) equal(Deno.readTextFileSync(`${target}/${path}`), "mine");
            }
          }),
      );
    }
  }
});

Deno.test("(29) a letter that the target folds not does not hide that it folds others", async () => {
  await withFolder(async (folder) => {
    const source = `${folder}/source`, target = `${folder}/target`, events: Events = [];
    writeFiles(source, { "Tür": "theirs", "readme": "theirs", "é": "theirs", "ö": "theirs" });
    writeFiles(target, { "Tür": "older", "README": "mine", "é": "older" });
    const { repository, snapshot } = await savedOnce(source, events);
    for (const options of [{ dryRun: true }, {}, {}]) {
      events.length = 0;
      await bringBack(repository, snapshot, source, target, { files: asciiFoldingFiles, ...options });
      const errors = events.flatMap((event) => event.type === "error" ? [event.error.message] : []);
      deepEqual(errors.map((message) => /Cannot restore (.*): .* that of (\w+)/.exec(message)?.slice(1)), [
        ["readme", "README"],
      ]);
      equal(Deno.readTextFileSync(`${target}/README`), "mine");
    }
    for (const name of ["Tür", "é", "ö"]) equal(Deno.readTextFileSync(`${target}/${name}`), "theirs", name);
  });
});

Deno.test("(29) a folder that is made for what is wanted in it is not taken for one of another name", async () => {
  const make = (source: string) => writeFiles(source, { "d/DIR/f": "one", "d/dir/f": "two", "d/dir/g": "two" });
  await withPair(make, async ({ target, restored }) => {
    for (const options of [{}, { delete: true }, { delete: true }]) {
      const { errors, filesDeleted } = await restored({ select: (_, isFolder) => !isFolder, ...options });
      equal(errors.length, 2);
      for (const message of errors) match(message, /^Cannot restore d\/dir\/[fg]: the target takes .* d\/DIR, which/);
      equal(filesDeleted, 0);
      equal(Deno.readTextFileSync(`${target}/d/DIR/f`), "one");
      deepEqual([...Deno.readDirSync(`${target}/d/DIR`)].map(({ name }) => name), ["f"]);
    }
  });
});

Deno.test("a target that tells names apart is not asked for lists of them", async () => {
  let lists = 0;
  const counting = new AlteredTargets((_tree, call, args, go) => {
    if (call === "readNames") lists++;
    return go(...args);
  });
  await withPair((source) => writeFiles(source, { "d/FILE": "one", "d/other": "two" }), async ({ restored }) => {
    for (let round = 0; round < 2; round++) deepEqual((await restored({}, counting)).errors, []);
    equal(lists, 0);
  });
});
