/** Plugins in a program that uses the library. */
import { deepStrictEqual as deepEqual, match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import * as axiom from "../../src/mod.ts";
import { type Bytes, concat, fromUtf8, utf8 } from "../../src/base/bytes.ts";
import { systemClock } from "../../src/base/clock.ts";
import { userIds } from "../../src/platform/host.ts";
import { askProcesses } from "../../src/plugins/control_client.ts";
import { manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { postmanServer } from "../../src/plugins/postman_fixture.ts";
import { SOURCE_ID, streamAnswer, toySource } from "../../src/plugins/toy_source_fixture.ts";
import { STORAGE_ID, toyStorage, toyStorageServer } from "../../src/plugins/toy_storage_fixture.ts";
import { FILTER_ID, toyFilter } from "../../src/plugins/toy_filter_fixture.ts";
import {
  assemble,
  COPY,
  I64,
  LOOP_FOR_EVER,
  op,
  pluginModule,
  type PluginParts,
} from "../../src/plugins/wasm_fixture.ts";
import { noise, writeFiles } from "../faults/source_folder.ts";
import { CODEC_ID, runs, toyCodec } from "./plugin_fixture.ts";

userIds(); // loads libc, which then stays

const root = new URL("../../", import.meta.url);
const unix = Deno.build.os !== "windows";
const secret = noise("library", 64);

interface Place {
  readonly folder: string;
  readonly events: axiom.AxiomEvent[];
  readonly steps: axiom.PluginEvent[];
  open(more?: Partial<axiom.AppOptions>): Promise<axiom.App>;
}

async function inPlace(use: (place: Place) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "axiom-library-" }));
  const events: axiom.AxiomEvent[] = [], steps: axiom.PluginEvent[] = [];
  const sinks = {
    onEvent: (event: axiom.AxiomEvent) => void events.push(event),
    onPluginEvent: steps.push.bind(steps),
  };
  try {
    await use({
      folder,
      events,
      steps,
      open: (more) => axiom.openApp({ pluginFolder: `${folder}/plugins`, policy: "off", ...sinks, ...more }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Who answers calls of `id`. */
async function serving(app: axiom.App, id: string): Promise<string | undefined> {
  return (await app.plugins.list()).find(({ pluginId }) => pluginId === id)?.serving?.version;
}

function processing(parts: PluginParts, more: Record<string, unknown> = {}): Bytes {
  const about = {
    plugin_id: "processing_toy",
    category: "processing",
    format_id: undefined,
    config_schema: undefined,
    limits: { call_ms: 2000 },
    ...more,
  };
  return pluginModule({ ...parts, sections: [manifestSection(about)] });
}

Deno.test("a program swaps a codec in the middle of a backup, and goes back", () =>
  inPlace(async ({ folder, open, steps }) => {
    await using app = await open();
    await rejects(app.plugins.replace(toyCodec(1)), { kind: "plugin_missing" });
    const loaded = await app.plugins.load(toyCodec(1));
    deepEqual([loaded.state, loaded.serving?.version, loaded.category], ["ready", "1.0.1", "compression"]);
    await rejects(app.plugins.load(toyCodec(2)), { kind: "plugin_refused" });
    const repository = await app.createRepository({ location: `${folder}/repository`, secret });
    const pieces: Bytes[] = [];
    let version = 1;
    const stream = new ReadableStream<Bytes>({
      async pull(controller) {
        const of = (await app.plugins.list()).find(({ pluginId }) => pluginId === CODEC_ID)!.generations.at(-1)!;
        if (of.calls > 0) {
          if (version === 4) return controller.close();
          await app.plugins.replace(toyCodec(++version));
        }
        pieces.push(runs(`piece ${pieces.length}`, 1_000_000));
        controller.enqueue(pieces.at(-1)!.slice());
      },
    }, { highWaterMark: 0 });
    const saved = await axiom.backupStream(repository, { stream, name: "runs", compression: CODEC_ID });
    const versions = saved.plugins.filter((each) => each.plugin_id === CODEC_ID).map(({ version }) => version);
    deepEqual([...new Set(versions)].sort(), ["1.0.1", "1.0.2", "1.0.3", "1.0.4"]);
    equal((await app.plugins.rollback(CODEC_ID)).serving?.version, "1.0.3");
    const { bytes } = await axiom.dump(repository, { snapshot: "latest", path: "/runs" });
    ok(Buffer.concat(await Array.fromAsync(bytes)).equals(Buffer.concat(pieces)));
    const switches = steps.flatMap((step) => step.type === "switched" && step.pluginId === CODEC_ID ? [step] : []);
    deepEqual(switches.map(({ cause, to }) => [cause, to?.plugin.version]), [
      ["load", "1.0.1"],
      ["replace", "1.0.2"],
      ["replace", "1.0.3"],
      ["replace", "1.0.4"],
      ["rollback", "1.0.3"],
    ]);
    deepEqual(await app.plugins.unload(CODEC_ID), [CODEC_ID]);
    await rejects(app.plugins.rollback(CODEC_ID), { kind: "plugin_missing" });
    equal(await serving(app, CODEC_ID), undefined);
    await repository.close();
    await repository.close();
  }));

Deno.test("what a plugin wrote is read by another app, with the decoder that it trusts", () =>
  inPlace(async ({ folder, open }) => {
    const location = `${folder}/repository`;
    let sha256 = "";
    {
      await using app = await open();
      sha256 = (await app.plugins.load(toyCodec(1))).sha256;
      const repository = await app.createRepository({ location, secret });
      const stream = new Blob([runs("stream", 3_000_000)]).stream();
      await axiom.backupStream(repository, { stream, name: "runs", compression: CODEC_ID });
      await app.plugins.unload(CODEC_ID);
    }
    const read = async (trustCodecs: string[]) => {
      await using app = await open({ trustCodecs });
      const { bytes } = await axiom.dump(await app.openRepository({ location, secret }), {
        snapshot: "latest",
        path: "/runs",
      });
      return (await Array.fromAsync(bytes)).reduce((sum, { length }) => sum + length, 0);
    };
    await rejects(read([]), { kind: "plugin_refused" });
    equal(await read([sha256]), 3_000_000);
  }));

Deno.test("filters, strategies and stores are chosen by id, and refused where no plugins are", () =>
  inPlace(async ({ folder, open }) => {
    writeFiles(`${folder}/source`, { "kept.txt": "kept", "left~": "left" });
    await using app = await open({ disabled: ["backup_full"] });
    await app.plugins.load(toyFilter());
    const options = { paths: [`${folder}/source`], filters: [FILTER_ID] };
    const repository = await app.createRepository({ location: `${folder}/repository`, secret });
    await axiom.backup(repository, options);
    const names = await Array.fromAsync(axiom.listEntries(repository, { snapshot: "latest" }), ({ path }) => path);
    deepEqual(names.filter((path) => /left|kept/.test(path)), [`${folder}/source/kept.txt`]);
    await rejects(axiom.backup(repository, { ...options, filters: ["filter_absent"] }), { kind: "plugin_missing" });
    await rejects(axiom.backup(repository, { ...options, strategy: FILTER_ID }), { kind: "usage" });
    await rejects(axiom.backup(repository, { ...options, mode: "full" }), { kind: "plugin_refused" });

    const plain = await axiom.openRepository({ location: `${folder}/repository`, secret });
    await rejects(axiom.backup(plain, options), { kind: "plugin_missing", hint: /openApp/ });
    await plain.close();
    await using server = toyStorageServer();
    const there = { location: `${STORAGE_ID}://`, secret };
    await rejects(app.createRepository(there), { kind: "plugin_missing" });
    await app.plugins.load(toyStorage(server.port), { grant: { names: "all" } });
    await rejects(app.openRepository(there), { kind: "repository_missing" });
    const elsewhere = { location: `${STORAGE_ID}://host/path`, secret };
    await rejects(app.openRepository(elsewhere), { kind: "usage", hint: /url: "https:\/\/host\/path\/"/ });
    await axiom.backup(await app.createRepository(there), options);
    ok(server.objects.size > 0);
  }));

Deno.test("a source plugin gives what is saved", () =>
  inPlace(async ({ folder, open }) => {
    await using server = postmanServer((posted) => streamAnswer(new Map([["a", { data: utf8("given") }]]), posted));
    await using app = await open();
    await app.plugins.load(toySource(server.port), { grant: { names: "all" } });
    const repository = await app.createRepository({ location: `${folder}/repository`, secret });
    const { paths, sources } = await axiom.backup(repository, { paths: [], sources: ["toy"] });
    deepEqual([paths, sources.map(({ streams }) => streams)], [[`/${SOURCE_ID}`], [1]]);
    const { bytes } = await axiom.dump(repository, { snapshot: "latest", path: `/${SOURCE_ID}/a` });
    equal(fromUtf8(concat(await Array.fromAsync(bytes, (piece) => piece.slice()))), "given");
  }));

Deno.test("a plugin is called by an operation or an export, and a bad call is an error of its own kind", () =>
  inPlace(async ({ open, steps }) => {
    await using app = await open();
    const { plugins } = app;
    await plugins.load(processing({ execute: [...COPY, op.const(0)] }));
    equal(fromUtf8((await plugins.call("processing_toy", "run", "as it is")).output), "as it is");
    await rejects(plugins.call("processing_toy", "rum", "x"), { kind: "usage", hint: "Did you mean run?" });
    await rejects(plugins.call("processing_tox", "run"), { kind: "plugin_missing" });
    await rejects(plugins.call("compression_zstd", "encode"), { kind: "usage" });
    const tooMuch = plugins.call("processing_toy", "run", "four", { outputBytesMax: 3 });
    await rejects(tooMuch, (error) => error instanceof axiom.PluginFailure && error.failure === "quota");

    await plugins.replace(processing({ execute: LOOP_FOR_EVER }, { version: "2.0.0" }));
    const leaving = new AbortController();
    const call = plugins.call("processing_toy", "run", "", { signal: leaving.signal });
    leaving.abort();
    await rejects(call, { kind: "interrupted" });
    const late = plugins.call("processing_toy", "run");
    await rejects(late, (error) => error instanceof axiom.PluginFailure && error.failure === "deadline");
    const quarantined = steps.find((step) => step.type === "switched" && step.cause === "quarantine");
    ok(quarantined, "a fault on trial brings the version before back");
    equal(fromUtf8((await plugins.call("processing_toy", "run", "again")).output), "again");
  }));

const env = (name: string, parameters: number[], results: number[]) => ({
  module: "extism:host/env",
  name,
  parameters,
  results,
});

/** Of the stock kit: as many zeros as it got bytes. */
const STOCK = assemble({
  imports: [env("input_length", [], [I64]), env("alloc", [I64], [I64]), env("output_set", [I64, I64], [])],
  functions: [{ exported: "zeros", code: [op.call(0), op.call(1), op.call(0), op.call(2), op.const(0)] }],
});

Deno.test("an export of a stock Extism module with a manifest beside it is called by its name", () =>
  inPlace(async ({ folder, open }) => {
    await using app = await open();
    await Deno.writeFile(`${folder}/stock.wasm`, STOCK);
    const manifest = [
      "manifest: 1",
      "plugin_id: stock_zeros",
      "version: 1.0.0",
      "category: processing",
      "description: Zeros",
      'engines: { axiom: "*", abi: extism }',
    ];
    await Deno.writeTextFile(`${folder}/plugin.yaml`, manifest.join("\n"));
    await app.plugins.load(`${folder}/stock.wasm`);
    deepEqual((await app.plugins.call("stock_zeros", "zeros", "four")).output, new Uint8Array(4));
    await rejects(app.plugins.call("stock_zeros", "ones", "four"), { kind: "plugin_failed" });
  }));

Deno.test("what cannot serve is not installed, and what asks for something waits for it", () =>
  inPlace(async ({ folder, open }) => {
    await using app = await open();
    const { plugins } = app, id = "processing_toy";
    const broken = processing({ validate: [op.unreachable] }, { version: "2.0.0" });
    await rejects(plugins.load(broken), { kind: "plugin_failed", message: /validate.*trap/ });
    equal(await serving(app, id), undefined);
    const works = { execute: [...COPY, op.const(0)] };
    await plugins.load(processing(works));
    await rejects(plugins.replace(broken), { kind: "plugin_failed" });
    await rejects(plugins.replace(processing({ without: ["execute"] })), { kind: "plugin_refused" });
    const signal = AbortSignal.abort();
    await rejects(plugins.replace(processing(works, { version: "3.0.0" }), { signal }), { kind: "interrupted" });
    equal(await serving(app, id), "1.2.3");
    equal(fromUtf8((await plugins.call(id, "run", "still")).output), "still");

    const asking = processing(works, { version: "2.0.0", capabilities: [{ name: "clock", reason: "it tells" }] });
    const held = await plugins.replace(asking);
    deepEqual([held.state, held.serving?.version, held.missing.map(({ name }) => name)], ["held", "1.2.3", ["clock"]]);
    await rejects(plugins.grant(id, { names: ["kv"] }), { kind: "usage" });
    const granted = await plugins.grant(id, { names: "all" });
    deepEqual([granted.state, granted.serving?.version, granted.missing], ["ready", "2.0.0", []]);
    await plugins.unload(id);
    const atOnce = await plugins.load(asking, { grant: { names: ["clock"] } });
    deepEqual([atOnce.state, atOnce.grants], ["ready", [{ name: "clock" }]]);
    const key = { prefix: "", key: "nonsense" };
    await rejects(axiom.openApp({ pluginFolder: folder, trustedKeys: [key] }), { kind: "config_invalid" });
    const other = { pluginFolder: `${folder}/other`, policy: "require" } as const;
    await using strict = await axiom.openApp(other);
    await rejects(strict.plugins.load(asking), { kind: "plugin_refused", message: /not signed/ });
  }));

Deno.test("a version that does not come up takes away neither the one before nor the way back", () =>
  inPlace(async ({ open }) => {
    const works = { execute: [...COPY, op.const(0)] }, id = "processing_toy";
    const make = (version: string, parts: PluginParts = works) => processing(parts, { version });
    await using app = await open();
    await app.plugins.load(make("1.0.0"));
    await app.plugins.replace(make("2.0.0"));
    await rejects(app.plugins.replace(make("3.0.0", { ...works, validate: [op.const(11)] })), {
      kind: "plugin_failed",
    });
    equal(await serving(app, id), "2.0.0");
    await using other = await open();
    equal((await other.plugins.rollback(id)).serving?.version, "1.0.0");
  }));

Deno.test({
  name: "the command line's processes reach a program that gives a folder for sockets",
  ignore: !unix,
  fn: () =>
    inPlace(async ({ folder, open }) => {
      const socketFolder = `${folder}/run`;
      await using app = await open({ socketFolder });
      await using other = await open();
      await app.plugins.load(toyCodec(1));
      await other.plugins.replace(toyCodec(2));
      const [{ pid, plugins }] = await askProcesses(socketFolder, "sync", systemClock);
      equal(pid, Deno.pid);
      deepEqual(plugins.filter(({ isServing }) => isServing).map(({ version }) => version), ["1.0.2"]);
      equal(await serving(app, CODEC_ID), "1.0.2");
    }),
});

async function runScript(folder: string, flags: string[], body: string): Promise<Deno.CommandOutput> {
  const library = JSON.stringify(new URL("src/mod.ts", root).href);
  const place = JSON.stringify(`${folder}/plugins`);
  await Deno.writeFile(`${folder}/toy.wasm`, processing({ execute: [...COPY, op.const(0)] }));
  const head = `import { openApp } from ${library};\nconst pluginFolder = ${place}, file = ${
    JSON.stringify(`${folder}/toy.wasm`)
  };\n`;
  await Deno.writeTextFile(`${folder}/script.ts`, head + body);
  const imports = fileURLToPath(new URL("deno.json", root));
  const { imports: map } = JSON.parse(await Deno.readTextFile(imports));
  await Deno.writeTextFile(
    `${folder}/deno.json`,
    JSON.stringify({ imports: map, nodeModulesDir: "none", lock: false }),
  );
  const args = ["run", "--quiet", "--no-check", "-A", ...flags, `${folder}/script.ts`];
  return await new Deno.Command(Deno.execPath(), { args, cwd: folder, env: { NO_COLOR: "1" } }).output();
}

Deno.test("a process ends by itself once its app is closed, though a call is running", () =>
  inPlace(async ({ folder }) => {
    const body = `
      const app = await openApp({ pluginFolder, socketFolder: pluginFolder + "/../run" });
      await app.plugins.load(file);
      const calls = ["a", "b", "c"].map((text) => app.plugins.call("processing_toy", "run", text));
      await app.close();
      for (const { output } of await Promise.all(calls)) console.log(new TextDecoder().decode(output));
      await app.plugins.call("processing_toy", "run").catch(({ kind }) => console.log(kind));`;
    const { code, stdout, stderr } = await runScript(folder, ["--unstable-worker-options"], body);
    deepEqual([code, fromUtf8(stdout), fromUtf8(stderr)], [0, "a\nb\nc\nplugin_failed\n", ""]);
    deepEqual([...Deno.readDirSync(`${folder}/run`)], []);
  }));

Deno.test("a process without the option that plugins need is told so, and lives on", () =>
  inPlace(async ({ folder }) => {
    const body = `
      try { await openApp({ pluginFolder }); } catch (error) { console.log(error.kind, error.message, error.hint); }
      console.log("goes on");`;
    const { code, stdout, stderr } = await runScript(folder, [], body);
    equal(code, 0, fromUtf8(stderr));
    match(fromUtf8(stdout), /^usage Cannot use plugins: .* --unstable-worker-options.*\ngoes on\n$/);
  }));
