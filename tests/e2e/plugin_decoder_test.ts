/** What a plugin wrote, read on a machine that never had it: the repository carries the decoder. */
import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { toyCipher } from "../../src/plugins/toy_cipher_fixture.ts";
import { runLengthCodec } from "../../src/plugins/toy_codec_fixture.ts";
import { op, pluginModule, type WasmFunction } from "../../src/plugins/wasm_fixture.ts";
import { CIPHER, manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { openFileSystem } from "../../src/platform/open_file_system.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import { pictureOfFolder } from "../faults/pictures.ts";
import { CODEC_ID, toyCodec, writePlugin, writeRuns } from "./plugin_fixture.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

const files = openFileSystem();
const LZ4 = fileURLToPath(new URL("../../plugins/compression_lz4/compression_lz4.wasm", import.meta.url));

/** The same user and repository where nothing is installed and nothing was seen. */
function elsewhere(machine: Machine, args: string[]): Promise<Ended> {
  const env = { XDG_DATA_HOME: machine.path("elsewhere data"), XDG_STATE_HOME: machine.path("elsewhere state") };
  return machine.run(args, { env });
}

function succeeded(ended: Ended): Ended {
  equal(ended.code, 0, ended.stderr);
  return ended;
}

async function sha256Of(path: string): Promise<string> {
  return createHash("sha256").update(await Deno.readFile(path)).digest("hex");
}

function packsOf({ repository }: Machine): string[] {
  const folders = [...Deno.readDirSync(`${repository}/packs`)].map(({ name }) => `${repository}/packs/${name}`);
  return folders.flatMap((folder) => [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}`));
}

/** Saves runs through a plugin; returns the folder. */
async function saved(machine: Machine, plugin: string, ...flags: string[]): Promise<string> {
  const source = machine.path("source");
  await writeRuns(source, 3, 1_500_000);
  succeeded(await machine.run(["init"]));
  succeeded(await machine.run(["plugin", "load", plugin]));
  succeeded(await machine.run(["backup", source, ...flags]));
  return source;
}

async function restoresElsewhere(machine: Machine, source: string, name: string, ...flags: string[]): Promise<Ended> {
  const target = machine.path(name);
  const ended = await elsewhere(machine, ["restore", `latest:${source}`, "--target", target, "--verify", ...flags]);
  succeeded(ended);
  deepEqual(pictureOfFolder(files, source), pictureOfFolder(files, target));
  return ended;
}

Deno.test(
  "what compression_lz4 wrote is read where it is not installed, once it is trusted",
  onMachine(async (machine, t) => {
    const source = await saved(machine, LZ4, "--compression", "compression_lz4");
    const sha256 = await sha256Of(LZ4);
    const at = `latest:${source}`;
    await t.step("the repository has its bytes", async () => {
      deepEqual(await Deno.readFile(`${machine.repository}/codecs/${sha256}.wasm`), await Deno.readFile(LZ4));
      const { decoders: [decoder] } = succeeded(await elsewhere(machine, ["stats", "--mode", "raw-data", "--json"]))
        .json();
      equal(decoder.plugin_id, "compression_lz4");
      equal(decoder.sha256, sha256);
    });
    await t.step("folders and structure need no decoder", async () => {
      match(succeeded(await elsewhere(machine, ["ls", at])).stdout, /file 1/);
      succeeded(await elsewhere(machine, ["check"]));
    });
    await t.step("without trust nothing runs", async () => {
      const cases = [
        ["restore", at, "--target", machine.path("none")],
        ["dump", `latest:${source}/file 1`],
        ["check", "--read-data"],
        ["repair", "index", "--read-data"],
      ];
      for (const args of cases) {
        const ended = await elsewhere(machine, args);
        equal(ended.code, 14, `${args[0]}: ${ended.stderr}`);
        match(ended.stderr, /compression_lz4 [0-9.]+ \(sha256 [0-9a-f]{12}\).*is not trusted/);
        match(ended.stderr, new RegExp(`--trust-codec ${sha256}`));
      }
      succeeded(await machine.run(["check", "--read-data"]));
    });
    await t.step("with trust by hash, by id and by the configuration", async () => {
      const ended = await restoresElsewhere(machine, source, "by hash", "--trust-codec", sha256);
      match(ended.stderr, /compression_lz4 .* which the repository brought along/);
      await restoresElsewhere(machine, source, "by id", "--trust-codec", "compression_lz4");
      const config = machine.path("trusting.yaml");
      await Deno.writeTextFile(config, `plugins:\n  trust_codecs: [${sha256}]\n`);
      await restoresElsewhere(machine, source, "by configuration", "--config", config);
      succeeded(await elsewhere(machine, ["check", "--read-data", "--trust-codec", sha256]));
      const dumped = await elsewhere(machine, ["dump", `latest:${source}/file 1`, "--trust-codec", sha256]);
      deepEqual(succeeded(dumped).bytes, await Deno.readFile(`${source}/file 1`));
    });
    await t.step("trust in another one is none in this", async () => {
      const other = ["--trust-codec", "0".repeat(64), "--trust-codec", "compression_other"];
      equal((await elsewhere(machine, ["check", "--read-data", ...other])).code, 14);
      equal((await elsewhere(machine, ["ls", at, "--trust-codec", "No such"])).code, 2);
    });
    await t.step("what is revoked never runs", async () => {
      const config = machine.path("revoking.yaml");
      await Deno.writeTextFile(config, `plugins:\n  revoked: [${sha256}]\n  trust_codecs: [${sha256}]\n`);
      const ended = await elsewhere(machine, ["check", "--read-data", "--config", config]);
      match(ended.stderr, /revoked/);
      equal(ended.code, 14);
    });
    await t.step("it writes nothing where it is not installed", async () => {
      const flags = ["--compression", "compression_lz4", "--trust-codec", sha256];
      equal((await elsewhere(machine, ["backup", source, ...flags])).code, 2);
    });
    await t.step("damage elsewhere is found all the same", async () => {
      const noise = machine.path("noise");
      await Deno.writeFile(noise, seededRandom("noise")(300_000));
      const known = new Set(packsOf(machine));
      succeeded(await machine.run(["backup", noise, "--compression", "none"]));
      const added = packsOf(machine).filter((pack) => !known.has(pack));
      const [largest] = added.sort((a, b) => Deno.statSync(b).size - Deno.statSync(a).size);
      const whole = await Deno.readFile(largest);
      await Deno.writeFile(largest, whole.with(100_000, whole[100_000] ^ 1));
      const ended = await elsewhere(machine, ["check", "--read-data"]);
      equal(ended.code, 13, ended.stderr);
      match(ended.stdout, /:.*\/noise\n/);
      match(ended.stderr, /warning: .*compression_lz4 .*is not trusted.*; \d+ packs? (was|were) not read in full/);
      await Deno.writeFile(largest, whole);
    });
  }),
);

Deno.test(
  "a signature that the repository stores is enough where its key is trusted",
  onMachine(async (machine) => {
    succeeded(await machine.run(["plugin", "keygen", "author"]));
    const plugin = await writePlugin(machine, "toy.wasm", toyCodec(1));
    succeeded(await machine.run(["plugin", "sign", "-s", "author.key", plugin]));
    const source = await saved(machine, plugin, "--compression", CODEC_ID);
    const key = (await Deno.readTextFile(machine.path("author.pub"))).trim().split("\n").at(-1)!;
    const config = machine.path("keys.yaml");
    await Deno.writeTextFile(config, `plugins:\n  trusted_keys: ["compression_=${key}"]\n`);
    await restoresElsewhere(machine, source, "signed", "--config", config);
    await Deno.writeTextFile(config, `plugins:\n  trusted_keys: ["filter_=${key}"]\n`);
    equal((await elsewhere(machine, ["check", "--read-data", "--config", config])).code, 14);
  }),
);

Deno.test(
  "what a cipher plugin sealed is opened where it is not installed, names and all",
  onMachine(async (machine) => {
    const memory = { minimum: 220 };
    const module = pluginModule({ execute: toyCipher(), memory, sections: [manifestSection(CIPHER)] });
    const source = await saved(machine, await writePlugin(machine, "c.wasm", module), "--encryption", "encryption_toy");
    const ended = await elsewhere(machine, ["ls", "latest"]);
    match(ended.stderr, /encryption_toy .*is not trusted/);
    equal(ended.code, 14);
    await restoresElsewhere(machine, source, "opened", "--trust-codec", "encryption_toy");
  }),
);

Deno.test(
  "check says which decoders are missing or damaged, and repair puts them back from an installed plugin",
  onMachine(async (machine, t) => {
    const plugin = await writePlugin(machine, "toy.wasm", toyCodec(1));
    const source = await saved(machine, plugin, "--compression", CODEC_ID);
    const stored = `${machine.repository}/codecs/${await sha256Of(plugin)}.wasm`;
    const damages: [name: string, damage: () => Promise<void>, kind: string][] = [
      ["missing", () => Deno.remove(stored), "decoder_missing"],
      ["changed", async () => {
        await Deno.remove(stored);
        await Deno.writeFile(stored, toyCodec(2));
      }, "object_damaged"],
      ["huge", async () => {
        await Deno.remove(stored);
        await Deno.writeFile(stored, new Uint8Array(33 * 1024 * 1024));
      }, "object_damaged"],
    ];
    for (const [name, damage, kind] of damages) {
      await t.step(name, async () => {
        await damage();
        const checked = await machine.run(["check", "--json"]);
        deepEqual(checked.last().errors.map((each: { kind: string }) => each.kind), [kind]);
        equal(checked.code, 13);
        const trusting = ["--trust-codec", CODEC_ID];
        const target = ["--target", machine.path("none")];
        const restored = await elsewhere(machine, ["restore", `latest:${source}`, ...target, ...trusting]);
        equal(restored.code, 14, restored.stderr);
        const absent = await elsewhere(machine, ["repair", "decoders"]);
        match(absent.stdout, /compression_toy 1\.0\.1.*missing/);
        equal(absent.code, 14);
        match(succeeded(await machine.run(["repair", "decoders", "--dry-run"])).stdout, /would be put back/);
        match(succeeded(await machine.run(["repair", "decoders"])).stdout, /: put back/);
        succeeded(await machine.run(["check"]));
        await restoresElsewhere(machine, source, `after ${name}`, ...trusting);
      });
    }
    await t.step("a backup puts it back as well", async () => {
      await Deno.remove(stored);
      await writeRuns(source, 4, 1_400_000);
      succeeded(await machine.run(["backup", source, "--compression", CODEC_ID]));
      succeeded(await machine.run(["check"]));
    });
  }),
);

/** Of which the codec makes two thirds: frames of more than 1 MiB when they are stored. */
function shortRuns(bytes: number): Uint8Array {
  const values = seededRandom("short runs")(Math.ceil(bytes / 3));
  return Uint8Array.from({ length: bytes }, (_, at) => values[Math.floor(at / 3)] % 16);
}

Deno.test(
  "a decoder that misbehaves ends what it serves with 14, and no pack is taken for damaged",
  onMachine(async (machine, t) => {
    await Deno.mkdir(machine.path("source"));
    await Deno.writeFile(machine.path("source", "short runs"), shortRuns(12_000_000));
    await saved(machine, await writePlugin(machine, "toy.wasm", toyCodec(1)), "--compression", CODEC_ID);
    const cases: [name: string, large: WasmFunction["code"], text: RegExp][] = [
      ["traps", [op.unreachable], /trap/],
      ["loops", [op.loop, op.br(0), op.end, op.unreachable], /deadline/],
    ];
    for (const [at, [name, large, text]] of cases.entries()) {
      await t.step(name, async () => {
        const limits = { memory_pages: 512, call_ms: 500 };
        const module = toyCodec(5 + at, { execute: runLengthCodec(0x15 + at, large) }, { limits });
        const env = { XDG_DATA_HOME: machine.path(`data ${name}`) };
        succeeded(await machine.run(["plugin", "load", await writePlugin(machine, "bad.wasm", module)], { env }));
        for (const args of [["check", "--read-data"], ["repair", "index", "--read-data"]]) {
          const ended = await machine.run(args, { env });
          match(ended.stderr, text);
          equal(ended.code, 14, ended.stderr);
        }
      });
    }
    succeeded(await machine.run(["check", "--read-data"]));
  }),
);
