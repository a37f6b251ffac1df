import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
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
import { allOf, objectStoreContract } from "../tests/contract/object_store.ts";
import { onMachine } from "../tests/e2e/program.ts";
import { type DavServer, hasApache, startApache } from "./apache.ts";
import { PLUGINS } from "./built.ts";

const bytes = await Deno.readFile(join(PLUGINS, "storage_webdav", "storage_webdav.wasm"));

function storeOf({ port }: DavServer, path = "/backups/"): PluginStore {
  const plugin = admit(bytes), host = `127.0.0.1:${port}`;
  const pool = openPlugin(plugin, {
    granted: [{ ...plugin.manifest.capabilities[0], hosts: [host] }],
    configuration: { url: `http://${host}${path}` },
    instancesMax: 2,
    clock: systemClock,
    services: hostServices({ stateFolder: undefined, clock: systemClock }),
  });
  const call: PluginStore["settings"]["call"] = (call, signal) => pool.call(call, { signal });
  return new PluginStore({ location: "storage_webdav://", random: systemRandom, call, close: () => pool.close() });
}

if (hasApache) {
  objectStoreContract("storage_webdav with Apache", async () => {
    const server = await startApache();
    return { store: storeOf(server), dispose: () => server.close() };
  });
}

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
      await Deno.writeTextFile(join(server.folder, "backups/data/0f/.part-00"), "half");
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
