/** Codec plugins on the data path, as people use them. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import {
  EAT_MEMORY,
  LOOP_FOR_EVER,
  op,
  pluginModule,
  type PluginParts,
  WRITE_FOR_EVER,
  WRITE_OUTSIDE,
} from "../../src/plugins/wasm_fixture.ts";
import { CIPHER, manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { toyCipher } from "../../src/plugins/toy_cipher_fixture.ts";
import { runLengthCodec } from "../../src/plugins/toy_codec_fixture.ts";
import { pictureOfFolder } from "../faults/pictures.ts";
import { CODEC_ID, toyCodec, writePlugin, writeRuns } from "./plugin_fixture.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const files = openFileSystem();

async function succeeds(machine: Machine, ...args: string[]): Promise<Ended> {
  const ended = await machine.run(args);
  equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`);
  return ended;
}

async function restoresTo(machine: Machine, source: string, name: string): Promise<void> {
  await succeeds(machine, "restore", `latest:${source}`, "--target", machine.path(name), "--verify");
  deepEqual(pictureOfFolder(files, source), pictureOfFolder(files, machine.path(name)));
}

Deno.test(
  "a backup through a codec plugin restores where the plugin is, and says what is missing where it is not",
  onMachine(async (machine) => {
    const source = machine.path("source");
    await writeRuns(source, 3, 3_000_000);
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "one.wasm", toyCodec(1)));
    const ended = await succeeds(machine, "backup", source, "--compression", `${CODEC_ID}:2`, "--json");
    const { plugins, bytes_added, bytes_stored } = ended.last();
    const toy = plugins.find(({ plugin_id }: { plugin_id: string }) => plugin_id === CODEC_ID);
    ok(toy.frames >= 3 && toy.version === "1.0.1" && /^[0-9a-f]{64}$/.test(toy.sha256), JSON.stringify(plugins));
    ok(bytes_added >= 9_000_000 && bytes_stored < 2_000_000, `${bytes_added} ${bytes_stored}`);
    await restoresTo(machine, source, "out");
    await succeeds(machine, "check", "--read-data");
    await succeeds(machine, "plugin", "unload", CODEC_ID);
    match((await succeeds(machine, "ls", `latest:${source}`)).stdout, /file 1/);
    const without = await machine.run(["restore", `latest:${source}`, "--target", machine.path("none")]);
    match(without.stderr, new RegExp(`the codec format test-1.*${CODEC_ID}`));
    equal(without.code === 0, false);
  }),
);

/** What the host has to end. */
const HOST_FAULTS = [
  { name: "traps", large: [op.unreachable], text: /trap/ },
  { name: "does not end", large: [...LOOP_FOR_EVER, op.return], text: /deadline: it did not answer within 2000 ms/ },
  { name: "eats its memory", large: EAT_MEMORY, text: /memory: it took all of its/ },
  { name: "writes without end", large: [...WRITE_FOR_EVER, op.return], text: /quota: it wrote/ },
  { name: "lies about lengths", large: [...WRITE_OUTSIDE, op.return], text: /abi: / },
];

async function* filesBelow(folder: string): AsyncGenerator<Uint8Array> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(`${folder}/${name}`);
    else yield await Deno.readFile(`${folder}/${name}`);
  }
}

Deno.test(
  "a codec that fails ends the backup with 14 and leaves no snapshot",
  onMachine(async (machine, t) => {
    const source = machine.path("source");
    await writeRuns(source, 5, 3_000_000);
    await succeeds(machine, "init");
    const cases = [
      { name: "writes nothing", large: [op.const(0), op.return], text: /cannot decode what it encoded/ },
      { name: "says that it cannot", large: [op.const(11), op.return], text: /internal/ },
      ...HOST_FAULTS,
    ];
    const limits = { memory_pages: 512, call_ms: 2000 };
    for (const { name, large, text } of cases) {
      const module = toyCodec(2, { execute: runLengthCodec(0x12, large) }, { limits });
      await t.step(name, async () => {
        await succeeds(machine, "plugin", "load", await writePlugin(machine, "bad.wasm", module));
        const ended = await machine.run(["backup", source, "--compression", CODEC_ID]);
        match(ended.stderr, /compression_toy 1\.0\.2 \(sha256 [0-9a-f]{12}\)/);
        match(ended.stderr, text);
        equal(ended.code, 14, ended.stderr);
        deepEqual((await succeeds(machine, "snapshots", "--json")).json(), []);
        await succeeds(machine, "plugin", "unload", CODEC_ID);
      });
    }
    await t.step("unless another codec may take its place", async () => {
      await succeeds(machine, "plugin", "load", machine.path("bad.wasm"));
      const ended = await succeeds(machine, "backup", source, "--compression", CODEC_ID, "--compression-fallback");
      match(ended.stderr, /compression_toy 1\.0\.2 .* failed, and zstd compresses instead: /);
      equal(ended.stderr.match(/zstd compresses instead/g)!.length, 1);
      await restoresTo(machine, source, "out");
    });
  }),
);

Deno.test(
  "a cipher plugin seals and opens everything, and nothing is stored without it where it fails",
  onMachine(async (machine, t) => {
    const source = machine.path("source");
    await writeRuns(source, 2, 1_500_000);
    await succeeds(machine, "init");
    const load = async (parts: PluginParts) => {
      const memory = { minimum: 220 }, limits = { memory_pages: 300, call_ms: 2000 };
      const module = pluginModule({
        execute: toyCipher(),
        memory,
        ...parts,
        sections: [manifestSection({ ...CIPHER, limits })],
      });
      await succeeds(machine, "plugin", "load", await writePlugin(machine, "cipher.wasm", module));
    };
    await t.step("it works", async () => {
      await load({});
      const ended = await succeeds(machine, "backup", source, "--encryption", "toy", "--json");
      const [cipher] = ended.last().plugins.filter(({ plugin_id }: { plugin_id: string }) =>
        plugin_id === "encryption_toy"
      );
      ok(cipher.frames >= 2, ended.stdout);
      await restoresTo(machine, source, "out");
      await succeeds(machine, "check", "--read-data");
    });
    await t.step("it is gone", async () => {
      await succeeds(machine, "plugin", "unload", "encryption_toy");
      const without = await machine.run(["restore", `latest:${source}`, "--target", machine.path("none")]);
      match(without.stderr, /cipher format test-1.*encryption_toy/);
      const again = await machine.run(["backup", source, "--encryption", "toy"]);
      match(again.stderr, /there is no such cipher/);
      equal(again.code, 2);
    });
    const before = (await succeeds(machine, "snapshots", "--json")).json().length;
    await writeRuns(source, 4, 1_500_001);
    const nothing = { name: "writes nothing", large: [op.const(0), op.return], text: /it made 0 bytes of/ };
    const fails = { name: "says that it cannot", large: [op.const(11), op.return], text: /internal/ };
    for (const { name, large, text } of [nothing, fails, ...HOST_FAULTS]) {
      await t.step(`it ${name}`, async () => {
        await load({ execute: toyCipher({ large }) });
        const ended = await machine.run(["backup", source, "--compression", "none", "--encryption", "toy"]);
        match(ended.stderr, /encryption_toy 1\.2\.3 \(sha256 [0-9a-f]{12}\)/);
        match(ended.stderr, text);
        equal(ended.code, 14);
        equal((await succeeds(machine, "snapshots", "--json")).json().length, before);
        const plain = (await Deno.readFile(`${source}/file 3`)).subarray(0, 64);
        for await (const data of filesBelow(machine.repository)) equal(Buffer.from(data).indexOf(plain), -1);
        await succeeds(machine, "plugin", "unload", "encryption_toy");
      });
    }
  }),
);

Deno.test(
  "what plugins.disabled names makes nothing new, whether it is built in or installed, and is read all the same",
  onMachine(async (machine, t) => {
    const source = machine.path("source");
    await writeRuns(source, 1, 100_000);
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "toy.wasm", toyCodec(1)));
    const cases: { disabled: string; args: string[]; works: string[] }[] = [
      { disabled: "compression_zstd", args: [], works: ["--compression", "none"] },
      { disabled: CODEC_ID, args: ["--compression", CODEC_ID], works: [] },
      { disabled: "encryption_aes", args: [], works: ["--help"] },
      { disabled: "backup_incremental", args: [], works: ["--mode", "full"] },
      { disabled: "storage_local", args: [], works: ["--help"] },
    ];
    for (const { disabled, args, works } of cases) {
      await t.step(disabled, async () => {
        const env = { AXIOM_CONFIG_PLUGINS_DISABLED: disabled };
        const refused = await machine.run(["backup", source, ...args], { env });
        match(refused.stderr, new RegExp(`Cannot use the plugin ${disabled}: it is disabled`));
        equal(refused.code, 14);
        equal((await machine.run(["backup", source, ...works], { env })).code, 0);
        match(
          (await machine.run(["plugin", "list", "--built-in"], { env })).stdout,
          new RegExp(`${disabled} .*disabled`),
        );
      });
    }
    const env = { AXIOM_CONFIG_PLUGINS_DISABLED: "compression_zstd" };
    const read = await machine.run(["restore", `latest:${source}`, "--target", machine.path("out")], { env });
    equal(read.code, 0, read.stderr);
  }),
);
