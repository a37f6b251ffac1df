import { deepEqual, equal } from "node:assert/strict";
import { flagPatterns } from "../stages/pattern_list.ts";
import { restoreSelection } from "./restore_selection.ts";

/** Folders end in `/`. */
const TREE = [
  "home/",
  "home/ann/",
  "home/ann/a.txt",
  "home/ann/b.o",
  "home/ann/deep/",
  "home/ann/deep/a.txt",
  "etc/",
  "etc/fstab",
];

Deno.test("restoreSelection() wants what patterns match, with all below it", async (t) => {
  const cases: { name: string; include?: string[]; exclude?: string[]; wanted: string[] }[] = [
    { name: "a name", include: ["a.txt"], wanted: ["home/ann/a.txt", "home/ann/deep/a.txt"] },
    { name: "a folder by its path", include: ["/home/ann/deep"], wanted: ["home/ann/deep/", "home/ann/deep/a.txt"] },
    { name: "a folder by its name", include: ["deep/"], wanted: ["home/ann/deep/", "home/ann/deep/a.txt"] },
    { name: "two patterns", include: ["*.o", "/etc"], wanted: ["home/ann/b.o", "etc/", "etc/fstab"] },
    { name: "nothing of it", include: ["*.zip"], wanted: [] },
    { name: "all but a name", exclude: ["a.txt"], wanted: TREE.filter((path) => !path.endsWith("a.txt")) },
    { name: "all but a folder", exclude: ["/home"], wanted: ["etc/", "etc/fstab"] },
    {
      name: "both",
      include: ["/home/ann"],
      exclude: ["deep"],
      wanted: ["home/ann/", "home/ann/a.txt", "home/ann/b.o"],
    },
    {
      name: "taken back",
      exclude: ["*.txt", "!/home/ann/a.txt"],
      wanted: TREE.filter((path) => path !== "home/ann/deep/a.txt"),
    },
  ];
  for (const { name, include = [], exclude = [], wanted } of cases) {
    const select = restoreSelection(flagPatterns(include, "--include"), flagPatterns(exclude, "--exclude"), "/")!;
    const isWanted = (path: string) => select(path.replace(/\/$/, ""), path.endsWith("/"));
    await t.step(name, () => deepEqual(TREE.filter(isWanted), wanted));
    await t.step(`${name}, asked from the end`, () => deepEqual(TREE.toReversed().filter(isWanted).reverse(), wanted));
  }
});

Deno.test("patterns count from the root of the file system or from what is restored", () => {
  for (const pattern of ["/home/ann/deep", "/deep"]) {
    const select = restoreSelection(flagPatterns([pattern], "--include"), [], "/home/ann")!;
    deepEqual(
      [select("deep", true), select("deep/a.txt", false), select("a.txt", false)],
      [true, true, false],
      pattern,
    );
  }
  equal(restoreSelection([], [], "/"), undefined);
});
