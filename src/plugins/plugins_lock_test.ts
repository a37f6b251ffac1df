import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { fromUtf8, utf8 } from "../base/bytes.ts";
import { decodeLock, encodeLock, type LockedPlugin } from "./plugins_lock.ts";

const KEY = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
const PLUGINS: LockedPlugin[] = [
  { pluginId: "compression_lz4", version: "1.4.0-rc.1+b", sha256: "ab".repeat(32), key: null, grants: [] },
  {
    pluginId: "storage_dav",
    version: "2.0.0",
    sha256: "cd".repeat(32),
    key: KEY,
    grants: [{ name: "net.http", hosts: ["nas:443"], methods: ["GET"] }, { name: "files", folders: ["/a"] }, {
      name: "clock",
    }],
    previous: { version: "1.0.0", sha256: "ef".repeat(32), key: KEY, grants: [{ name: "clock" }] },
  },
];

Deno.test("plugins.lock is read as it was written, sorted by id", () => {
  deepEqual(decodeLock(encodeLock([...PLUGINS].reverse())), PLUGINS);
  deepEqual(decodeLock(encodeLock([])), []);
  equal(fromUtf8(encodeLock([])), '{\n  "version": 1,\n  "plugins": []\n}\n');
});

Deno.test("a lock that is not understood as a whole is refused, and the place is named", async (t) => {
  // deno-lint-ignore no-explicit-any
  const cases: [name: string, change: (lock: any) => unknown, message: RegExp][] = [
    ["version", (lock) => lock.version = 2, /version is 2/],
    ["list", (lock) => lock.plugins = {}, /plugins is no list/],
    ["key that is missing", (lock) => delete lock.plugins[0].key, /plugins\[0\] has no key/],
    ["key that is unknown", (lock) => lock.plugins[0].trusted = true, /plugins\[0\] has the unknown key trusted/],
    ["id", (lock) => lock.plugins[0].plugin_id = "../x", /plugins\[0\]\.plugin_id is "\.\.\/x"/],
    ["id twice", (lock) => lock.plugins[1].plugin_id = "compression_lz4", /plugins\[1\]\.plugin_id stands there twice/],
    ["hash", (lock) => lock.plugins[0].sha256 = "../../etc", /plugins\[0\]\.sha256 is/],
    ["signer", (lock) => lock.plugins[0].key = "", /plugins\[0\]\.key is ""/],
    ["grant", (lock) => lock.plugins[1].grants[0].name = "all", /grants\[0\]\.name is no capability: "all"/],
    ["hosts", (lock) => lock.plugins[1].grants[0].hosts = "*", /grants\[0\]\.hosts is no list/],
    ["host", (lock) => lock.plugins[1].grants[0].hosts = [1], /grants\[0\]\.hosts is 1/],
    ["grant's key", (lock) => lock.plugins[1].grants[0].ports = [1], /unknown key ports/],
    ["generation before", (lock) => lock.plugins[1].previous.sha256 = null, /plugins\[1\]\.previous\.sha256 is null/],
    ["null", (lock) => lock.plugins[0] = null, /plugins\[0\] is no object/],
  ];
  for (const [name, change, message] of cases) {
    await t.step(name, () => {
      const lock = JSON.parse(fromUtf8(encodeLock(PLUGINS)));
      change(lock);
      throws(
        () => decodeLock(utf8(JSON.stringify(lock))),
        (error) => error instanceof RangeError && message.test(error.message),
      );
    });
  }
  throws(() => decodeLock(utf8("{")), /not JSON/);
  throws(() => decodeLock(Uint8Array.of(0xff)), /not JSON/);
});
