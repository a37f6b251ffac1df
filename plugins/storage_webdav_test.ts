import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { utf8 } from "../src/base/bytes.ts";
import { systemClock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/random.ts";
import { noise, text } from "../src/plugins/conformance_samples.ts";
import { testPlugin } from "../src/plugins/conformance.ts";
import { admit } from "../src/plugins/admission.ts";
import { openPlugin } from "../src/plugins/open_plugin.ts";
import { hostServices } from "../src/plugins/services/host_services.ts";
import { PluginStore } from "../src/plugins/wasm_storage.ts";
import { allOf, fails, objectStoreContract, sample } from "../tests/contract/object_store.ts";
import { onMachine } from "../tests/e2e/program.ts";
import { type DavServer, hasApache, startApache } from "./apache.ts";
import { PLUGINS } from "./built.ts";

const bytes = await Deno.readFile(join(PLUGINS, "storage_webdav", "storage_webdav.wasm"));

function storeOf({ port }: DavServer, instancesMax = 2): PluginStore {
  const plugin = admit(bytes), host = `127.0.0.1:${port}`;
  const pool = openPlugin(plugin, {
    granted: [{ ...plugin.manifest.capabilities[0], hosts: [host] }],
    configuration: { url: `http://${host}/backups/` },
    instancesMax,
    clock: systemClock,
    services: hostServices({ stateFolder: undefined, clock: systemClock }),
  });
  const call: PluginStore["settings"]["call"] = (call, signal) => pool.call(call, { signal });
  return new PluginStore({ location: "storage_webdav://", random: systemRandom, call, close: () => pool.close() });
}

/** Parts and claims that stand in what the server keeps. */
async function leftovers({ folder }: DavServer): Promise<string[]> {
  const names = await Array.fromAsync(walk(folder));
  return names.filter((name) => /\/\.(part|claim)-[^/]*$/.test(name));
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    yield join(folder, name);
    if (isDirectory) yield* walk(join(folder, name));
  }
}

/** As if the server had made it: it can remove it. */
async function place(server: DavServer, folder: string, files: Record<string, string>): Promise<void> {
  const path = join(server.folder, "backups", folder);
  await Deno.mkdir(path);
  await Deno.chmod(path, 0o777);
  for (const [name, content] of Object.entries(files)) await Deno.writeTextFile(join(path, name), content);
}

if (hasApache) {
  objectStoreContract("storage_webdav with Apache", async () => {
    const server = await startApache();
    return { store: storeOf(server), leftovers: () => leftovers(server), dispose: () => server.close() };
  });
}

Deno.test({
  name: "(32) of eight that write one name at once to Apache one wins, name after name",
  ignore: !hasApache,
  async fn() {
    const server = await startApache(), store = storeOf(server, 8);
    try {
      await store.put("config/0", utf8("0"));
      for (let round = 1; round <= 40; round++) {
        const key = `config/${round}`, all = Array.from({ length: 8 }, (_, i) => sample(5000, i + 1));
        const results = await Promise.allSettled(all.map((data) => store.put(key, data)));
        const winners = results.flatMap(({ status }, i) => status === "fulfilled" ? [i] : []);
        equal(winners.length, 1, `winners of round ${round}: ${winners}`);
        for (const result of results) {
          if (result.status === "rejected") equal(result.reason.kind, "object_exists", result.reason);
        }
        deepEqual(await store.get(key, "all"), all[winners[0]]);
      }
      deepEqual(await leftovers(server), []);
    } finally {
      await store.close();
      await server.close();
    }
  },
});

Deno.test({
  name: "storage_webdav goes on from what a writer left behind that is gone",
  ignore: !hasApache,
  async fn(t) {
    const server = await startApache(), store = storeOf(server);
    const cases = [
      { name: "nothing", left: {}, written: "new" },
      { name: "part", left: { ".part-{digest}-0": { "{digest}": "ne" } }, written: "new", stay: 1 },
      {
        name: "many-parts",
        left: Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`.part-{digest}-${n}`, { "{digest}": "n" }])),
        written: "new",
        stay: 64,
      },
      { name: "empty-claim", left: { ".claim-empty-claim": {} }, written: "new" },
      { name: "claim", left: { ".claim-claim": { "0123": "old" } }, written: "old" },
      { name: "own-claim", left: { ".claim-own-claim": { "{digest}": "new" } }, written: "new" },
    ];
    try {
      await store.put("index/0", utf8("0"));
      await Deno.chmod(join(server.folder, "backups/index"), 0o777);
      for (const { name, left, written, stay = 0 } of cases) {
        await t.step(name, async () => {
          const key = `index/${name}`, before = (await leftovers(server)).length;
          const digest = createHash("sha256").update(`${key}\0new`).digest("hex").slice(0, 32);
          for (const [folder, files] of Object.entries(left)) {
            const named = Object.entries(files).map(([file, text]) => [file.replace("{digest}", digest), text]);
            await place(server, `index/${folder.replace("{digest}", digest)}`, Object.fromEntries(named));
          }
          if (written === "new") await store.put(key, utf8("new"));
          else await fails(store.put(key, utf8("new")), "object_exists");
          deepEqual(await store.get(key, "all"), utf8(written));
          await fails(store.put(key, utf8("third")), "object_exists");
          equal((await leftovers(server)).length - before, stay);
        });
      }
      deepEqual(await allOf(store, "index/"), {
        "index/0": 1,
        ...Object.fromEntries(cases.map(({ name }) => [`index/${name}`, 3])),
      });
    } finally {
      await store.close();
      await server.close();
    }
  },
});

Deno.test({
  name: "storage_webdav keeps every rule of a store with Apache, also with an object of 64 MiB",
  ignore: !hasApache,
  async fn() {
    const server = await startApache(), clock = systemClock;
    try {
      const plugin = admit(bytes), host = `127.0.0.1:${server.port}`;
      const findings = await testPlugin(plugin, {
        clock,
        granted: [{ ...plugin.manifest.capabilities[0], hosts: [host] }],
        configuration: { url: `http://${host}/backups/` },
        services: hostServices({ stateFolder: undefined, clock }),
      });
      deepEqual(findings.filter(({ state }) => state !== "ok"), []);
    } finally {
      await server.close();
    }
  },
});

Deno.test({
  name: "storage_webdav lists folders page by page, and no parts of objects",
  ignore: !hasApache,
  async fn() {
    const server = await startApache(), store = storeOf(server);
    try {
      const keys = Array.from({ length: 30 }, (_, i) => `data/${(i % 3).toString(16)}f/object-${i}`);
      for (const key of keys) await store.put(key, utf8(key));
      await Deno.chmod(join(server.folder, "backups/data/0f"), 0o777);
      for (const folder of [".part-00-0", ".claim-00"]) await place(server, `data/0f/${folder}`, { "00": "half" });
      const expected = Object.fromEntries(keys.map((key) => [key, key.length]));
      deepEqual(await allOf(store, "data/"), expected);

      const seen: string[] = [];
      for (let cursor: string | undefined, pages = 0;; pages++) {
        const { result } = await store.settings.call({
          verb: "execute",
          operation: "list",
          parameters: { prefix: "data/", cursor, limit: 4 },
        });
        const page = JSON.parse(result!);
        seen.push(...page.entries.map(({ key }: { key: string }) => key));
        cursor = page.cursor;
        if (cursor === undefined) {
          equal(pages >= 8, true);
          break;
        }
      }
      deepEqual(seen.sort(), keys.sort());
    } finally {
      await store.close();
      await server.close();
    }
  },
});

Deno.test({
  name: "a backup goes to Apache through storage_webdav, and comes back",
  ignore: !hasApache,
  fn: onMachine(async (machine) => {
    const server = await startApache(), host = `127.0.0.1:${server.port}`;
    const run = async (...args: string[]) => {
      const ended = await machine.run(args);
      equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}${ended.stdout}`);
      return ended;
    };
    try {
      const source = machine.path("source"), target = machine.path("target");
      await Deno.mkdir(join(source, "deep"), { recursive: true });
      await Deno.writeFile(join(source, "noise"), noise(3_000_000));
      await Deno.writeFile(join(source, "deep", "text"), text(500_000));
      const on = ["--repo", `storage_webdav+http://${host}/backups`];
      await run("plugin", "load", join(PLUGINS, "storage_webdav", "storage_webdav.wasm"));
      await run("plugin", "grant", "storage_webdav", "net.http", "--host", host);
      await run("init", ...on);
      await run("backup", ...on, source);
      await run("check", "--read-data", ...on);
      await run("restore", ...on, `latest:${source}`, "--target", target, "--verify");
      for (const name of ["noise", "deep/text"]) {
        deepEqual(await Deno.readFile(join(target, name)), await Deno.readFile(join(source, name)));
      }
    } finally {
      await server.close();
    }
  }),
});
