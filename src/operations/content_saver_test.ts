import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import type { FileStat, FileSystem } from "../platform/file_system.ts";
import type { RepositoryWriter } from "../repository/writer.ts";
import { ContentSaver } from "./content_saver.ts";
import type { FileSaver, SavedContent } from "./file_saver.ts";

function stat(inode: number, links = 3): FileStat {
  return { type: "file", inode: String(inode), device: "7", links, sizeBytes: 5 } as FileStat;
}

/** What saves a file says how often it was asked, by path. */
function saverOf(content: (path: string) => Partial<SavedContent>) {
  const saved: string[] = [];
  const saver = {
    save: (path: string) => {
      saved.push(path);
      return Promise.resolve({ changed: false, chunksNew: 1, bytesNew: 5, ...content(path) });
    },
  } as unknown as FileSaver;
  const writer = { pool: { room: () => Promise.resolve() }, growIfNeeded: () => {} } as unknown as RepositoryWriter;
  const contents = new ContentSaver({} as FileSystem, writer, saver, () => ({ style: {} as never }));
  return {
    saved,
    save: async (path: string, stat: FileStat) => await (await contents.save(path, stat, undefined)).done,
  };
}

Deno.test("a file with several names is saved once, and all of its names get the same", async () => {
  const content = { content: { elements: ["ab"] }, chunker: { algorithm: "fastcdc-1" as const } };
  const xattrs = [{ name: "user.x", value: Uint8Array.of(1, 0, 255) }];
  for (const own of [content, { ...content, xattrs }]) {
    const { saved, save } = saverOf(() => own);
    const first = await save("one", stat(1));
    deepEqual(first, { changed: false, chunksNew: 1, bytesNew: 5, ...own });
    for (const path of ["two", "three"]) {
      deepEqual(await save(path, stat(1)), { ...own, changed: false, chunksNew: 0, bytesNew: 0 });
    }
    deepEqual(saved, ["one"]);
    await save("an inode that was used again", stat(1));
    equal(saved.length, 2);
  }
});

Deno.test("(39) names that never come do not fill the memory: the oldest contents are forgotten", async () => {
  const elements = Array.from({ length: 256 }, (_, i) => String(i).padStart(64, "0"));
  const { saved, save } = saverOf(() => ({ content: { elements } }));
  const COUNT = 5000;
  for (let inode = 0; inode < COUNT; inode++) await save(`first of ${inode}`, stat(inode));
  equal(saved.length, COUNT);
  for (const inode of [0, 1, COUNT - 2, COUNT - 1]) {
    const again = await save(`second of ${inode}`, stat(inode));
    deepEqual(again.content, { elements });
  }
  deepEqual(saved.slice(COUNT), ["second of 0", "second of 1"]);
});

Deno.test("(39) files of which all names were met before the content was there leave nothing in the account", async () => {
  const elements = Array.from({ length: 256 }, (_, i) => String(i).padStart(64, "0"));
  const { saved, save } = saverOf(() => ({ content: { elements } }));
  const COUNT = 5000;
  for (let inode = 0; inode < COUNT; inode++) {
    const both = await Promise.all(["one", "two"].map((name) => save(`${name} of ${inode}`, stat(inode, 2))));
    deepEqual(both.map(({ chunksNew }) => chunksNew), [1, 0]);
  }
  equal(saved.length, COUNT);
  await save("kept", stat(COUNT));
  await save("another name of it", stat(COUNT));
  deepEqual(saved.slice(COUNT), ["kept"]);
});
