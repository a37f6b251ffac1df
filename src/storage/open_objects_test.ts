import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { LIMITS } from "../base/limits.ts";
import { systemFailure } from "../../tests/faults/intercepted_files.ts";
import { denoFileOps, type FileOps } from "./file_ops.ts";
import { OpenObjects } from "./open_objects.ts";

/** Counts open files; `open` can be made to fail. */
function countingOps(): { ops: FileOps; isOpen: Map<string, number>; fail: { code?: string }; opened: string[] } {
  const isOpen = new Map<string, number>();
  const fail: { code?: string } = {};
  const opened: string[] = [];
  const ops: FileOps = {
    ...denoFileOps,
    stat: (path) => Promise.resolve({ type: path.endsWith("fifo") ? "other" : "file", sizeBytes: 3 }),
    openFile(path) {
      if (fail.code && isOpen.size > 0) return Promise.reject(systemFailure(fail.code));
      isOpen.set(path, (isOpen.get(path) ?? 0) + 1);
      opened.push(path);
      const close = () => {
        const left = isOpen.get(path)! - 1;
        if (left > 0) isOpen.set(path, left);
        else isOpen.delete(path);
      };
      const none = () => Promise.reject(new Error("not needed"));
      return Promise.resolve({ write: none, readAt: none, sync: none, close });
    },
  };
  return { ops, isOpen, fail, opened };
}

function fakeClock() {
  const clock = { nowMs: 0, nowNs: () => "0", monotonicMs: () => clock.nowMs, sleep: () => Promise.resolve() };
  return clock;
}

Deno.test("a file that was given back is lent again; at the same time each reader has its own", async () => {
  const { ops, opened } = countingOps();
  const objects = new OpenObjects(ops, fakeClock());
  const first = await objects.borrow("/a");
  const second = await objects.borrow("/a");
  ok(first && second && first !== second);
  objects.giveBack(first);
  equal(await objects.borrow("/a"), first);
  deepEqual(opened, ["/a", "/a"]);
  equal(await objects.borrow("/fifo"), undefined);
});

Deno.test("the files that were used last stay open, up to the bound", async () => {
  const { ops, isOpen } = countingOps();
  const objects = new OpenObjects(ops, fakeClock());
  const use = async (path: string) => objects.giveBack((await objects.borrow(path))!);
  for (let i = 0; i < LIMITS.storeOpenFilesMax; i++) await use(`/${i}`);
  await use("/0");
  await use("/new");
  equal(isOpen.size, LIMITS.storeOpenFilesMax);
  ok(isOpen.has("/0") && isOpen.has("/new") && !isOpen.has("/1"));
  objects.close();
  equal(isOpen.size, 0);
});

Deno.test("a file that was idle for long is opened anew", async () => {
  const { ops, opened, isOpen } = countingOps();
  const clock = fakeClock();
  const objects = new OpenObjects(ops, clock);
  objects.giveBack((await objects.borrow("/a"))!);
  clock.nowMs = LIMITS.storeOpenFileIdleMs + 1;
  objects.giveBack((await objects.borrow("/a"))!);
  equal(opened.length, 2);
  equal(isOpen.get("/a"), 1);
});

Deno.test("a forgotten file is not lent again, even if a reader still has it", async () => {
  const { ops, isOpen } = countingOps();
  const objects = new OpenObjects(ops, fakeClock());
  const lent = (await objects.borrow("/a"))!;
  objects.giveBack((await objects.borrow("/a"))!);
  objects.forget("/a");
  equal(isOpen.get("/a"), 1);
  objects.giveBack(lent);
  equal(isOpen.size, 0);
  const late = (await objects.borrow("/b"))!;
  objects.close();
  objects.giveBack(late);
  equal(isOpen.size, 0);
});

Deno.test("when the system has no more files to open, the idle ones are closed", async () => {
  for (const code of ["EMFILE", "ENFILE"]) {
    const { ops, isOpen, fail } = countingOps();
    const objects = new OpenObjects(ops, fakeClock());
    objects.giveBack((await objects.borrow("/a"))!);
    fail.code = code;
    ok(await objects.borrow("/b"));
    deepEqual([...isOpen.keys()], ["/b"]);
    await rejects(objects.borrow("/c"), { code });
  }
});
