import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { fromUtf8, MIB } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { openFileSystem } from "../../platform/open_file_system.ts";
import type { InstancePool } from "../instance_pool.ts";
import { PluginFailure } from "../plugin_failure.ts";
import { deliver, withCourier } from "./courier_fixture.ts";
import { hostServices } from "./host_services.ts";

const files = openFileSystem();
const UNIX = Deno.build.os !== "windows";

/** `granted` and `granted2` beside it, and `secret` outside of both. */
async function withFiles(use: (pool: InstancePool, granted: string, outside: string) => Promise<void>): Promise<void> {
  const outside = await Deno.realPath(await Deno.makeTempDir({ prefix: "axiom-files-" }));
  const granted = join(outside, "granted");
  try {
    await Deno.mkdir(join(granted, "sub"), { recursive: true });
    await Deno.mkdir(join(outside, "granted2"));
    await Deno.writeTextFile(join(outside, "secret"), "not yours");
    await Deno.writeTextFile(join(outside, "granted2", "x"), "not yours");
    await Deno.writeTextFile(join(granted, "a"), "0123456789");
    await Deno.writeTextFile(join(granted, "sub", "ü"), "deep");
    const services = hostServices({ stateFolder: undefined, clock: systemClock, files });
    const capability = { name: "files", folders: [granted] } as const;
    await withCourier(capability, services, (pool) => use(pool, granted, outside));
  } finally {
    await Deno.remove(outside, { recursive: true });
  }
}

Deno.test("a plugin reads the files of a granted folder", async () => {
  await withFiles(async (pool, granted) => {
    const read = async (path: string, more: object = {}) =>
      fromUtf8((await deliver(pool, { op: "read", path: join(granted, path), ...more })).body);
    equal(await read("a"), "0123456789");
    equal(await read("a", { offset: 3, length: 4 }), "3456");
    equal(await read("a", { offset: 9, length: 4 }), "9");
    equal(await read("a", { offset: 99 }), "");
    equal(await read("sub/ü"), "deep");
    const { response } = await deliver(pool, { op: "stat", path: join(granted, "a") });
    deepEqual([response.type, response.length], ["file", 10]);
    const { body } = await deliver(pool, { op: "list", path: granted });
    const lines = fromUtf8(body).trimEnd().split("\n").map((line) => JSON.parse(line));
    deepEqual(lines.map(({ name, type }) => [name, type]).sort(), [["a", "file"], ["sub", "dir"]]);
    const large = new Uint8Array(5 * MIB).map((_, i) => (i * 7) & 0xff);
    await Deno.writeFile(join(granted, "large"), large);
    deepEqual((await deliver(pool, { op: "read", path: join(granted, "large") })).body, large);
  });
});

Deno.test("there is no way out of a granted folder", { ignore: !UNIX }, async (t) => {
  await withFiles(async (pool, granted, outside) => {
    await Deno.symlink(join(outside, "secret"), join(granted, "link"));
    await Deno.symlink(outside, join(granted, "up"));
    await Deno.symlink("a", join(granted, "within"));
    const mkfifo = await new Deno.Command("mkfifo", { args: [join(granted, "fifo")] }).output();
    equal(mkfifo.success, true);
    const refused = ["link", "up/secret", "up/granted/a", "within", "fifo", "sub", "none", "a/b"];
    for (const name of refused) {
      await t.step(`${name} is not read`, async () => {
        const { class: answer, body } = await deliver(pool, { op: "read", path: join(granted, name) });
        equal(answer === 0, false);
        equal(body.length, 0);
      });
    }
    for (const path of ["/etc/passwd", join(outside, "secret"), join(outside, "granted2", "x"), outside, "/"]) {
      await t.step(`${path} ends the call`, () =>
        rejects(deliver(pool, { op: "read", path }), (error) => {
          equal(error instanceof PluginFailure && error.failure, "capability_denied", String(error));
          match((error as Error).message, /which lies in no granted folder/);
          return true;
        }));
    }
    for (
      const path of [`${granted}/../secret`, `${granted}/./a`, `${granted}//a`, "a", "", `${granted}/a\0`, 7, null]
    ) {
      await t.step(`${JSON.stringify(path)} is no path`, async () => {
        equal((await deliver(pool, { op: "read", path })).class, 1);
      });
    }
    for (const request of [{ op: "write" }, { op: "read", offset: -1 }, { op: "read", length: "9" }]) {
      equal((await deliver(pool, { ...request, path: join(granted, "a") })).class, 1);
    }
  });
});
