import { strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import { FolderWatch } from "./folder_watch.ts";

/** Sleeps until it is woken. */
const endless: Clock = { ...systemClock, sleep: (_ms, signal) => systemClock.sleep(2 ** 30, signal) };

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a change ends the wait, also one that came before it", () =>
  inFolder(async (folder) => {
    const watch = new FolderWatch(folder, endless, { recursive: true });
    await Deno.mkdir(join(folder, "deep"));
    equal(await watch.next(1), true);
    const next = watch.next(1);
    await Deno.writeTextFile(join(folder, "b"), "");
    equal(await next, true);
    watch.close();
    equal(await watch.next(1), false);
  }));

Deno.test("without any change, and without a folder, the time ends it; so does its end", () =>
  inFolder(async (folder) => {
    const timed = new FolderWatch(join(folder, "gone"), systemClock);
    equal(await timed.next(1), true);
    timed.close();
    const closed = new FolderWatch(folder, endless);
    const next = closed.next(1);
    closed.close();
    equal(await next, false);
  }));
