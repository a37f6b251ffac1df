/** What happens to sources between the early look at them, while the key is derived, and the backup. */
import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { EarlyScan } from "../../src/operations/early_scan.ts";
import { SystemError } from "../../src/platform/file_system.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { memoryStore } from "../../src/storage/memory.ts";
import { FaultyFiles } from "./faulty_files.ts";
import { writeFiles } from "./source_folder.ts";
import { emptyRepository, type Events, lateClock, opened, save, withFolder } from "./test_repository.ts";

/** Folders of which the last name is `locked` cannot be read. */
const files = new FaultyFiles((call, path) => {
  if (call === "readNames" && path.endsWith("/locked")) throw new SystemError("EACCES", "open", path);
});

interface Case {
  change: (root: string) => void;
  /** Before the early look, or after it. */
  when: "before" | "after";
  told: RegExp[];
  unmodified: { dirs: number; files: number };
}

const lock = (root: string) => Deno.renameSync(`${root}/a/sub`, `${root}/a/locked`);

const CASES: Record<string, Case> = {
  "nothing happens": { change: () => {}, when: "after", told: [], unmodified: { dirs: 3, files: 3 } },
  "a folder cannot be read": {
    change: lock,
    when: "before",
    told: [/^Cannot read .*\/a\/locked: .*EACCES/],
    unmodified: { dirs: 1, files: 2 },
  },
  "a folder can be read no longer: it is saved as it was seen": {
    change: lock,
    when: "after",
    told: [],
    unmodified: { dirs: 2, files: 3 }, // its source is looked at again
  },
  "a source vanishes": {
    change: (root) => Deno.removeSync(`${root}/b`, { recursive: true }),
    when: "after",
    told: [/^Cannot back up .*\/b: no such file or folder/],
    unmodified: { dirs: 0, files: 0 }, // other sources, so another parent
  },
};

for (const [what, { change, when, told, unmodified }] of Object.entries(CASES)) {
  Deno.test({
    name: `early scan: ${what}`,
    ignore: openFileSystem().packed === undefined,
    fn: () =>
      withFolder(async (root) => {
        writeFiles(root, { "a/f": "one", "a/sub/g": "two", "b/h": "three" });
        const store = memoryStore();
        store.restore(await emptyRepository());
        const sources = [`${root}/a`, `${root}/b`];
        await save(await opened(store), sources);
        const early = new EarlyScan(files, lateClock.nowNs());
        if (when === "before") change(root);
        await early.run(sources, { unchanged: "as_it_is", select: () => "save" });
        if (when === "after") change(root);
        const events: Events = [];
        const summary = await save(await opened(store, events), sources, { files, early });
        const faults = events.flatMap((event) => event.type === "error" ? [event.error.message] : []);
        equal(faults.length, told.length, faults.join("\n"));
        for (const [i, pattern] of told.entries()) equal(pattern.test(faults[i]), true, faults[i]);
        deepEqual({ dirs: summary.dirsUnmodified, files: summary.filesUnmodified }, unmodified);
        equal(summary.filesFailed, told.length);
      }),
  });
}
