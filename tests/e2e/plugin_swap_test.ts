/** Plugins that are replaced while a backup runs. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { systemClock } from "../../src/base/clock.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { askProcesses } from "../../src/plugins/control_client.ts";
import type { ControlAnswer } from "../../src/plugins/control_message.ts";
import { loadPlugin } from "../../src/plugins/installed.ts";
import { pluginFolder, sha256Of } from "../../src/plugins/plugin_folder.ts";
import { CIPHER, manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { toyCipher, type ToyFaults } from "../../src/plugins/toy_cipher_fixture.ts";
import { OP, op, pluginModule } from "../../src/plugins/wasm_fixture.ts";
import { runLengthCodec } from "../../src/plugins/toy_codec_fixture.ts";
import { pictureOfFolder } from "../faults/pictures.ts";
import { CODEC_ID, toyCodec, writePlugin, writeRuns } from "./plugin_fixture.ts";
import { PacedBackup } from "./paced_backup.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const files = openFileSystem();
const unix = Deno.build.os !== "windows";

async function succeeds(machine: Machine, ...args: string[]): Promise<Ended> {
  const done = await machine.run(args);
  equal(done.code, 0, `${args.join(" ")}: ${done.stderr}`);
  return done;
}

/** What the one running process answers, once there is one. */
async function answerOf(machine: Machine, command: "list" | "sync"): Promise<ControlAnswer> {
  const folder = `${machine.home}/.local/state/axiom/run`;
  for (let tries = 0; tries < 1000; tries++) {
    const [answer] = await askProcesses(folder, command, systemClock);
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("No process answers");
}

/** Whether this version serves in the running process and answered so many calls. */
async function isServing(machine: Machine, version: string, calls: number, id = CODEC_ID): Promise<boolean> {
  const { plugins } = await answerOf(machine, "list");
  const serving = plugins.find(({ pluginId, isServing }) => pluginId === id && isServing);
  return serving?.version === version && serving.calls >= calls;
}

/** Feeds the backup until this version has made a frame of it. */
function makesFrames(machine: Machine, backup: PacedBackup, version: string, id = CODEC_ID): Promise<void> {
  return backup.feedUntil(`a frame by ${id} ${version}`, () => isServing(machine, version, 1, id));
}

async function install(machine: Machine, n: number, module = toyCodec(n)): Promise<void> {
  const folder = pluginFolder(`${machine.home}/.local/share/axiom/plugins`);
  const trust = { policy: "off", trustedKeys: [], revoked: [] } as const;
  await loadPlugin(folder, { bytes: module, sha256: sha256Of(module), signature: undefined }, trust, {
    replaces: true,
  });
}

Deno.test({
  name: "20 swaps in the middle of a backup: each generation made frames, none is lost, and all of it is restored",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    const swaps = 20;
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "toy.wasm", toyCodec(0)));
    const backup = new PacedBackup(machine, "--compression", CODEC_ID);
    for (let n = 0; n <= swaps; n++) {
      if (n > 0) await install(machine, n);
      if (n > 0) await answerOf(machine, "sync");
      await makesFrames(machine, backup, `1.0.${n}`);
    }
    const { plugins, bytes_added } = (await backup.finish()).last();
    const toys = plugins.filter(({ plugin_id }: { plugin_id: string }) => plugin_id === CODEC_ID);
    equal(toys.length, swaps + 1, JSON.stringify(plugins));
    const frames = toys.reduce((sum: number, each: { frames: number }) => sum + each.frames, 0);
    ok(frames >= bytes_added / 4 / 1024 / 1024, `${frames} frames of ${bytes_added} bytes`);
    await backup.assertRestores(machine);
  }),
});

/** Encodes as it should so many times in each instance, then traps. */
const WORKS_FOR = (calls: number) => [
  OP,
  op.const(1),
  op.i32_eq,
  op.if,
  op.global_get(1),
  op.const(1),
  op.i32_add,
  op.global_set(1),
  op.const(calls),
  op.global_get(1),
  op.i32_lt_u,
  op.if,
  op.unreachable,
  op.end,
  op.end,
  ...runLengthCodec(0x1f),
];

Deno.test({
  name: "a version that traps after the probe is taken out of service, the one before makes the frame, and stays",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "toy.wasm", toyCodec(1)));
    const backup = new PacedBackup(machine, "--compression", CODEC_ID);
    await makesFrames(machine, backup, "1.0.1");
    await install(machine, 2, toyCodec(2, { execute: WORKS_FOR(4) }));
    const { changes } = await answerOf(machine, "sync");
    deepEqual(changes.map(({ outcome, to }) => [outcome, to?.version]), [["switched", "1.0.2"]]);
    await makesFrames(machine, backup, "1.0.1");
    const done = await backup.finish();
    match(done.stdout, /1\.0\.2 .* is in quarantine, and .* 1\.0\.1 .* serves again: .*trap/);
    await backup.assertRestores(machine);
    match((await succeeds(machine, "plugin", "list")).stdout, /compression_toy +1\.0\.1/);
  }),
});

Deno.test({
  name: "load, replace, rollback and unload reach a running backup, which reports each",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "one.wasm", toyCodec(1)));
    const backup = new PacedBackup(machine, "--compression", CODEC_ID);
    await makesFrames(machine, backup, "1.0.1");
    const replaced = await succeeds(machine, "plugin", "replace", await writePlugin(machine, "two.wasm", toyCodec(2)));
    match(
      replaced.stdout,
      new RegExp(`Process ${backup.pid}: compression_toy 1\\.0\\.2 (took over from 1\\.0\\.1|serves)`),
    );
    match((await succeeds(machine, "plugin", "rollback", CODEC_ID)).stdout, /Process \d+: compression_toy 1\.0\.1/);
    const listed = await succeeds(machine, "plugin", "list");
    match(listed.stdout, /Process \d+: compression_toy 1\.0\.1 serves \((canary|active)\), \d+ calls/);
    const bad = await machine.run([
      "plugin",
      "replace",
      await writePlugin(machine, "bad.wasm", toyCodec(3, { execute: [op.const(0)] })),
    ]);
    equal(bad.code, 14);
    match(bad.stderr, /1\.0\.3/);
    const env = { AXIOM_CONFIG_PLUGINS_POLICY: "warn" };
    equal((await machine.run(["plugin", "list"], { env })).code, 0);
    const unloaded = await succeeds(machine, "plugin", "unload", CODEC_ID);
    match(unloaded.stdout, /Process \d+: compression_toy is unloaded; what runs with it goes on/);
    await backup.feed(8);
    await succeeds(machine, "plugin", "load", machine.path("two.wasm"));
    await backup.feed(8);
    await backup.finish();
    await backup.assertRestores(machine);
    match((await succeeds(machine, "plugin", "list")).stdout, /^[^P]*compression_toy[^P]*$/);
  }),
});

Deno.test({
  name: "a signed file that somebody puts into the plugin folder is taken by the running backup",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    const folder = `${machine.home}/.local/share/axiom/plugins`;
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "keygen", "author");
    const key = (await Deno.readTextFile(machine.path("author.pub"))).split("\n")[1];
    await Deno.writeTextFile(machine.path("axiom.yaml"), `plugins:\n  trusted_keys: ["compression_=${key}"]\n`);
    for (const n of [1, 2]) {
      await writePlugin(machine, `${n}.wasm`, toyCodec(n));
      await succeeds(machine, "plugin", "sign", "-s", "author.key", `${n}.wasm`);
    }
    await succeeds(machine, "plugin", "load", "1.wasm");
    const backup = new PacedBackup(machine, "--compression", CODEC_ID);
    await makesFrames(machine, backup, "1.0.1");
    await Deno.copyFile(machine.path("2.wasm.minisig"), `${folder}/2.wasm.minisig`);
    await Deno.copyFile(machine.path("2.wasm"), `${folder}/2.wasm`);
    await backup.waitUntil("1.0.2 serves", () => isServing(machine, "1.0.2", 0));
    await makesFrames(machine, backup, "1.0.2");
    const versions = (await backup.finish()).last().plugins.map(({ version }: { version: string }) => version);
    ok(versions.includes("1.0.1") && versions.includes("1.0.2"), `${versions}`);
    await backup.assertRestores(machine);
    deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), ["guard", "modules", "plugins.lock"]);
  }),
});

Deno.test({
  name: "a backup that is killed while plugins are swapped leaves what the next one can work with",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    const source = machine.path("source"), sockets = `${machine.home}/.local/state/axiom/run`;
    await writeRuns(source, 8, 2_500_000);
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "toy.wasm", toyCodec(0)));
    for (let n = 1; n <= 3; n++) {
      const running = new PacedBackup(machine, "--compression", CODEC_ID);
      await makesFrames(machine, running, `1.0.${n - 1}`);
      const swap = install(machine, n).then(() => askProcesses(sockets, "sync", systemClock));
      await running.feed(n);
      await Promise.all([running.kill(), swap]);
      ok([...Deno.readDirSync(sockets)].length <= 1);
    }
    match((await succeeds(machine, "plugin", "list")).stdout, /compression_toy +1\.0\.3/);
    deepEqual([...Deno.readDirSync(sockets)], []);
    await succeeds(machine, "backup", source, "--compression", CODEC_ID);
    await succeeds(machine, "restore", `latest:${source}`, "--target", machine.path("out"), "--verify");
    deepEqual(pictureOfFolder(files, source), pictureOfFolder(files, machine.path("out")));
    await succeeds(machine, "check", "--read-data");
  }),
});

Deno.test({
  name: "what is built in can be replaced and comes back, while a backup uses it",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    const about = { plugin_id: "compression_zstd" };
    await succeeds(machine, "init");
    const backup = new PacedBackup(machine);
    const replaced = async (n: number) => {
      await writePlugin(machine, "zstd.wasm", toyCodec(n, {}, about));
      const { stdout } = await succeeds(machine, "plugin", n === 1 ? "load" : "replace", "zstd.wasm");
      match(stdout, new RegExp(`Process \\d+: compression_zstd 1\\.0\\.${n}`));
    };
    await answerOf(machine, "list");
    await replaced(1);
    await replaced(2);
    await makesFrames(machine, backup, "1.0.2", "compression_zstd");
    match((await succeeds(machine, "plugin", "list", "--built-in")).stdout, /compression_zstd .*built-in, replaced/);
    const removed = await succeeds(machine, "plugin", "unload", "compression_zstd");
    match(removed.stdout, /Process \d+: compression_zstd 1\.0\.0 \(built-in\) serves again/);
    await backup.feed(16);
    const done = await backup.finish();
    const zstd = done.last().plugins.filter(({ plugin_id }: { plugin_id: string }) => plugin_id === "compression_zstd");
    ok(zstd.some(({ sha256 }: { sha256: string }) => sha256 === "built-in"), JSON.stringify(zstd));
    ok(zstd.some(({ version }: { version: string }) => version === "1.0.2"), JSON.stringify(zstd));
    await succeeds(machine, "plugin", "load", "zstd.wasm"); // for the restore
    await backup.assertRestores(machine);
  }),
});

Deno.test({
  name: "ciphers are swapped under a backup, and one that fails on trial gives its place back, with the frame",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    const id = CIPHER.plugin_id;
    const cipher = (n: number, faults: ToyFaults = {}) =>
      pluginModule({
        execute: toyCipher(faults),
        memory: { minimum: 220 },
        sections: [manifestSection({ ...CIPHER, version: `1.0.${n}` })],
      });
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "cipher.wasm", cipher(1)));
    const backup = new PacedBackup(machine, "--compression", "none", "--encryption", id);
    await makesFrames(machine, backup, "1.0.1", id);
    await install(machine, 2, cipher(2));
    await answerOf(machine, "sync");
    await makesFrames(machine, backup, "1.0.2", id);
    await install(machine, 3, cipher(3, { large: [op.unreachable] }));
    const { changes } = await answerOf(machine, "sync");
    deepEqual(changes.at(-1)!.outcome, "switched");
    await makesFrames(machine, backup, "1.0.2", id);
    const done = await backup.finish();
    match(done.stdout, /1\.0\.3 .* is in quarantine, and .* 1\.0\.2 .* serves again: .*trap/);
    const sealed = done.last().plugins.filter(({ plugin_id }: { plugin_id: string }) => plugin_id === id);
    ok(!sealed.some(({ version }: { version: string }) => version === "1.0.3"), JSON.stringify(sealed));
    ok(sealed.some(({ version }: { version: string }) => version === "1.0.2"), JSON.stringify(sealed));
    await backup.assertRestores(machine);
  }),
});
