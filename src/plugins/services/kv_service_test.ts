import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { fromUtf8, KIB, utf8 } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { PluginFailure } from "../plugin_failure.ts";
import { note, withCourier } from "./courier_fixture.ts";
import { hostServices } from "./host_services.ts";

const KV = { name: "kv" } as const;

async function inStateFolder(use: (stateFolder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "axiom-kv-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const services = (stateFolder: string) => hostServices({ stateFolder, clock: systemClock });

Deno.test("notes are there for every instance, and in the next process", async () => {
  await inStateFolder(async (folder) => {
    await withCourier(KV, services(folder), async (pool) => {
      equal((await note(pool, "get", "a")).answer, -1);
      await Promise.all(Array.from({ length: 20 }, (_, i) => note(pool, "set", `a${i}`, utf8(`value ${i}`))));
      equal((await note(pool, "set", "empty")).answer, 0);
      const { answer, value } = await note(pool, "get", "a7");
      deepEqual([answer, fromUtf8(value)], [7, "value 7"]);
      equal((await note(pool, "get", "empty")).answer, 0);
    }, { instancesMax: 2 });
    await withCourier(KV, services(folder), async (pool) => {
      equal(fromUtf8((await note(pool, "get", "a19")).value), "value 19");
      equal((await note(pool, "delete", "a19")).answer, 0);
      equal((await note(pool, "delete", "a19")).answer, 0);
      const keys = JSON.parse(fromUtf8((await note(pool, "keys")).value));
      equal(keys.length, 20);
      equal(keys.includes("a19"), false);
    });
    if (Deno.build.os === "windows") return;
    const file = await Deno.stat(join(folder, "plugins", "processing_courier.notes"));
    equal(file.mode! & 0o777, 0o600);
  });
});

Deno.test("notes of 1 MiB have room, and one byte more is quota and changes nothing", async () => {
  await inStateFolder(async (folder) => {
    await withCourier(KV, services(folder), async (pool) => {
      const overhead = 8 + 1;
      equal((await note(pool, "set", "a", new Uint8Array(1024 * KIB - overhead))).answer, 0);
      equal((await note(pool, "set", "b")).answer, 8);
      equal((await note(pool, "set", "a", new Uint8Array(1024 * KIB))).answer, 8);
      equal((await note(pool, "set", "a", new Uint8Array(3 * 1024 * KIB))).answer, 8);
      equal((await note(pool, "get", "a")).value.length, 1024 * KIB - overhead);
      equal((await note(pool, "set", "a", utf8("less"))).answer, 0);
      equal((await note(pool, "set", "b")).answer, 0);
    });
  });
});

Deno.test("two holders of the same notes do not lose each other's changes", async () => {
  await inStateFolder(async (folder) => {
    await withCourier(KV, services(folder), (one) =>
      withCourier(KV, services(folder), async (other) => {
        await Promise.all([one, other].flatMap((pool, p) =>
          Array.from({ length: 30 }, (_, i) => note(pool, "set", `${p}-${i}`, utf8("x")))
        ));
        equal(JSON.parse(fromUtf8((await note(one, "keys")).value)).length, 60);
      }));
  });
});

const failing = (failure: string, text: RegExp) => (error: unknown) => {
  equal(error instanceof PluginFailure && error.failure, failure, String(error));
  equal(text.test((error as Error).message), true, String(error));
  return true;
};

Deno.test("what is no key, damaged notes and notes that were not granted end the call", async () => {
  await inStateFolder(async (folder) => {
    await withCourier(KV, services(folder), async (pool) => {
      for (const key of ["", "a\nb", 'a"', "é", "..\\x"]) {
        await rejects(note(pool, "set", key, utf8("x")), failing("invalid_input", /is no key/));
      }
    });
    await withCourier(KV, services(folder), async (pool) => {
      await rejects(
        note(pool, "get", "a"),
        failing("capability_denied", /get of axiom:host\/kv@1, and kv was not granted/),
      );
    }, { grants: [] });
    const file = join(folder, "plugins", "processing_courier.notes");
    await Deno.mkdir(join(folder, "plugins"), { recursive: true });
    await Deno.writeFile(file, utf8("this is no database, and longer than one page of it is\n".repeat(100)));
    await withCourier(KV, services(folder), async (pool) => {
      await rejects(note(pool, "get", "a"), failing("permanent", /processing_courier\.notes cannot be used: /));
    });
  });
});
