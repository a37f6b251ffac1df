import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { fails } from "../../tests/contract/object_store.ts";
import { utf8 } from "../base/bytes.ts";
import { systemClock } from "../base/clock.ts";
import type { AxiomEvent } from "../base/events.ts";
import { systemRandom } from "../base/random.ts";
import { openStore } from "./open_store.ts";

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "axiom-store-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Never really sleeps. */
const clock = { ...systemClock, sleep: () => Promise.resolve() };
const settings = { clock, random: systemRandom, onEvent: () => {} };

Deno.test("openStore() says what is wrong with a location, and makes nothing unless it may", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "text");
    await fails(openStore("", settings), "usage", /it is empty/);
    await fails(openStore("gopher://x", settings), "usage", /gopher/);
    await fails(openStore(`${folder}/none`, settings), "repository_missing", /there is no such folder/);
    for (const make of [false, true]) {
      await fails(
        openStore(`${folder}/file`, { ...settings, make }),
        "repository_missing",
        /it is a file, not a folder/,
      );
      const below = openStore(`${folder}/file/below/it`, { ...settings, make });
      await fails(below, "repository_missing", /\/it: .*\/file is a file, not a folder/);
    }
    deepEqual(Array.from(Deno.readDirSync(folder), ({ name }) => name), ["file"]);
  });
});

Deno.test("openStore() makes a folder and those above it, by its path or its URL, with and without a throttle", async () => {
  await withFolder(async (folder) => {
    for (
      const [place, throttle] of [[`${folder}/a/b`, {}], [`file://${folder}/c`, { uploadKibPerSecond: 1000 }]] as const
    ) {
      const { store, probe } = await openStore(place, { ...settings, make: true, throttle });
      await store.put("index/a", utf8("a"));
      deepEqual(await store.get("index/a", "all"), utf8("a"));
      equal((await probe!()).location, store.location);
      await store.close();
    }
  });
});

Deno.test("a store that is busy is tried again, and that is told", async () => {
  await withFolder(async (folder) => {
    const told: AxiomEvent[] = [];
    const { store } = await openStore(folder, { ...settings, onEvent: (event) => void told.push(event) });
    await store.put("index/a", utf8("a"));
    const realOpen = Deno.open;
    let busy = 2;
    Deno.open = (path, options) => {
      const isBusy = String(path).startsWith(folder) && String(path).endsWith("/index/a") && busy-- > 0;
      return isBusy ? Promise.reject(new Error("Device or resource busy (os error 16)")) : realOpen(path, options);
    };
    try {
      deepEqual(await store.get("index/a", "all"), utf8("a"));
    } finally {
      Deno.open = realOpen;
    }
    equal(told.length, 2);
    for (const [i, event] of told.entries()) {
      ok(event.type === "verbose");
      match(event.message, new RegExp(`; trying again in [0-9.]+ s \\(attempt ${i + 2}\\)$`));
    }
    await store.close();
  });
});
