import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import { LIMITS } from "../base/limits.ts";
import { userIds } from "../platform/host.ts";
import { DropBox } from "./drop_box.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { type PluginFolder, pluginFolder } from "./plugin_folder.ts";
import type { SignaturePolicy } from "./trust.ts";
import { op, pluginModule, tagged } from "./wasm_fixture.ts";

userIds(); // loads libc, which then stays

const ID = "compression_test";
const module = (n: number, parts = {}) =>
  pluginModule({ execute: tagged(0x10 + n), ...parts, sections: [manifestSection({ version: `1.0.${n}` })] });

interface Dropping {
  path(name: string): string;
  put(name: string, data: Uint8Array): Promise<void>;
  /** Looks after `ms` more. */
  after(ms: number): Promise<string[]>;
  installed(): Promise<string[]>;
  names(): string[];
  readonly refused: string[];
}

/** @param onChange Called while a file is being installed */
async function dropping(
  use: (box: Dropping) => Promise<void>,
  policy: SignaturePolicy = "warn",
  onChange: (path: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const path = await Deno.makeTempDir({ prefix: "axiom-drop-" });
  await Deno.chmod(path, 0o700);
  const plugins = pluginFolder(path), refused: string[] = [];
  const folder: PluginFolder = {
    ...plugins,
    change: async (...args) => {
      await onChange(path);
      await plugins.change(...args);
    },
  };
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const trust = { policy, trustedKeys: [], revoked: [] };
  const box = new DropBox(folder, trust, clock, (name, { message }) => void refused.push(`${name}: ${message}`));
  try {
    await use({
      path: (name) => join(path, name),
      put: (name, data) => Deno.writeFile(join(path, name), data),
      after: (ms) => {
        nowMs += ms;
        return box.look();
      },
      installed: async () => (await folder.list()).map(({ version }) => version),
      names: () => [...Deno.readDirSync(path)].map(({ name }) => name).filter((name) => name.endsWith(".wasm")),
      refused,
    });
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

Deno.test("a file that is unchanged for a while is installed, and the next one in its place", () =>
  dropping(async (box) => {
    await box.put("new.wasm", module(1));
    deepEqual(await box.after(0), []);
    deepEqual(await box.after(LIMITS.pluginSettleMs - 1), []);
    deepEqual(await box.after(1), [ID]);
    deepEqual(box.names(), []);
    await box.put("newer.wasm", module(2));
    await box.after(0);
    deepEqual(await box.after(LIMITS.pluginSettleMs), [ID]);
    deepEqual(await box.installed(), ["1.0.2"]);
    deepEqual(box.refused, []);
  }));

Deno.test("a file that grows is left alone, however long it takes", () =>
  dropping(async (box) => {
    const data = module(1);
    for (let length = 100; length < data.length; length += 100) {
      await box.put("slow.wasm", data.subarray(0, length));
      deepEqual(await box.after(4_000), []);
      deepEqual(await box.after(900), []);
    }
    deepEqual(box.refused, []);
    await box.put("slow.wasm", data);
    await box.after(10);
    deepEqual(await box.after(LIMITS.pluginSettleMs), [ID]);
  }));

Deno.test("what is refused stays, is told of once, and is tried again when it changed", () =>
  dropping(async (box) => {
    await box.put("bad.wasm", module(1, { validate: [op.const(11)] }));
    await box.put("half.wasm", module(2).subarray(0, 200));
    for (const ms of [0, 5_000, 5_000, 5_000]) deepEqual(await box.after(ms), []);
    equal(box.refused.length, 2);
    match(box.refused[0], /^bad\.wasm: .*compression_test 1\.0\.1 .*internal/);
    match(box.refused[1], /^half\.wasm: /);
    deepEqual(await box.installed(), []);
    await box.put("bad.wasm", module(3));
    await box.after(0);
    deepEqual(await box.after(LIMITS.pluginSettleMs), [ID]);
    deepEqual(box.names(), ["half.wasm"]);
  }));

Deno.test("a file that is put in the place of one that is being installed is installed next", () => {
  const later = [module(2)];
  return dropping(
    async (box) => {
      await box.put("new.wasm", module(1));
      await box.after(0);
      deepEqual(await box.after(LIMITS.pluginSettleMs), [ID]);
      deepEqual([await box.installed(), box.names()], [["1.0.1"], ["new.wasm"]]);
      await box.after(0);
      deepEqual(await box.after(LIMITS.pluginSettleMs), [ID]);
      deepEqual([await box.installed(), box.names()], [["1.0.2"], []]);
    },
    "warn",
    async (path) => {
      const data = later.pop();
      if (data === undefined) return;
      await Deno.writeFile(join(path, "half"), data);
      await Deno.rename(join(path, "half"), join(path, "new.wasm"));
    },
  );
});

Deno.test("a file without a trusted signature is not taken where one is required", () =>
  dropping(async (box) => {
    await box.put("new.wasm", module(1));
    for (const ms of [0, 5_000]) deepEqual(await box.after(ms), []);
    match(box.refused[0], /it is not signed/);
    deepEqual(await box.installed(), []);
  }, "require"));
