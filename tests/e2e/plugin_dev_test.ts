/** An author at work: what is saved is tried and swapped into what runs, and in the end all is as it was. */
import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { userIds } from "../../src/platform/host.ts";
import { askProcesses } from "../../src/plugins/control_client.ts";
import { op } from "../../src/plugins/wasm_fixture.ts";
import { PacedBackup } from "./paced_backup.ts";
import { packPlugin } from "../../src/plugins/pack.ts";
import { utf8 } from "../../src/base/bytes.ts";
import { toyCodec, writePlugin } from "./plugin_fixture.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

userIds(); // loads libc, which then stays

const unix = Deno.build.os !== "windows";
const CODEC_ID = "compression_lz4";
const LZ4 = new URL(`../../plugins/${CODEC_ID}/`, import.meta.url);
const module = { name: "lz4", data: await Deno.readFile(new URL(`${CODEC_ID}.wasm`, LZ4)) };
const manifest = await Deno.readTextFile(new URL("plugin.yaml", LZ4));

function manifestOf(version: string): string {
  return manifest.replace(/^version: .*$/m, `version: ${version}`);
}

/** A codec that keeps every rule. */
function lz4(n: number): Uint8Array {
  return packPlugin(module, { name: "plugin.yaml", data: utf8(manifestOf(`1.0.${n}`)) }).bytes;
}

// deno-lint-ignore no-explicit-any
type Line = Record<string, any>;

/** `plugin dev --watch --json`, whose lines a test waits for. */
class Development {
  readonly #child: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #errors: Promise<string>;
  readonly seen: Line[] = [];

  constructor(machine: Machine, ...args: string[]) {
    this.#child = machine.command(["plugin", "dev", "--watch", "--json", ...args]).spawn();
    this.#lines = linesOf(this.#child.stdout);
    this.#errors = new Response(this.#child.stderr).text();
  }

  /** The next line of this kind; throws with all that came where none does. */
  async next(isMeant: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`It ended: ${JSON.stringify(this.seen)} ${await this.#errors}`);
      const line = JSON.parse(value);
      this.seen.push(line);
      if (isMeant(line)) return line;
    }
  }

  async code(code: string): Promise<string> {
    return (await this.next((line) => line.code === code)).message;
  }

  async error(): Promise<string> {
    return (await this.next(({ type }) => type === "error")).message;
  }

  /** As by Ctrl-C. */
  async end(): Promise<{ code: number; summary: Line }> {
    this.#child.kill("SIGINT");
    const summary = await this.next(({ type }) => type === "summary");
    const [{ code }] = await Promise.all([this.#child.status, this.#errors]);
    equal((await this.#lines.next()).done, true);
    return { code, summary };
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

async function succeeds(machine: Machine, ...args: string[]): Promise<Ended> {
  const done = await machine.run(args);
  equal(done.code, 0, `${args.join(" ")}: ${done.stderr}`);
  return done;
}

/** Feeds the backup until this version has made a frame of it. */
function makesFrames(machine: Machine, backup: PacedBackup, version: string): Promise<void> {
  return backup.feedUntil(`a frame by ${version}`, async () => {
    const [answer] = await askProcesses(`${machine.home}/.local/state/axiom/run`, "list", systemClock);
    const serving = answer?.plugins.find(({ pluginId, isServing }) => pluginId === CODEC_ID && isServing);
    return serving?.version === version && serving.calls > 0;
  });
}

const BROKEN = { execute: [op.const(0)] };

Deno.test({
  name: "a good save is swapped into a running backup, a broken one is told, half of one is waited for, Ctrl-C undoes",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    await succeeds(machine, "init");
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "one.wasm", lz4(1)));
    const before = (await succeeds(machine, "plugin", "list", "--json")).json();
    const backup = new PacedBackup(machine, "--compression", CODEC_ID);
    await makesFrames(machine, backup, "1.0.1");

    const save = (module: Uint8Array) => writePlugin(machine, "toy.wasm", module);
    await save(lz4(2));
    const author = new Development(machine, "toy.wasm");
    match(
      await author.code("plugin_swapped"),
      new RegExp(
        `1\\.0\\.2 .* keeps \\d+ rules and is in service\\n.*Process ${backup.pid}: .* took over from 1\\.0\\.1`,
      ),
    );
    await makesFrames(machine, backup, "1.0.2");

    await save(toyCodec(3, BROKEN, { plugin_id: CODEC_ID }));
    match(await author.error(), /1\.0\.3 .* breaks \d+ of its rules; 1\.0\.2 of [0-9a-f]{12} goes on\n.*brings back/);
    await save(toyCodec(3, { without: ["execute"] }));
    match(await author.error(), /does not export execute/);
    await makesFrames(machine, backup, "1.0.2");

    const four = lz4(4);
    await save(four.subarray(0, four.length / 2));
    match(await author.code("plugin_waits"), /toy\.wasm is not whole yet/);
    await save(four);
    match(await author.code("plugin_swapped"), /1\.0\.4 /);
    await makesFrames(machine, backup, "1.0.4");

    const { code, summary } = await author.end();
    const { tries, swaps, plugin_id, restored_version } = summary;
    deepEqual([code, tries, swaps, plugin_id, restored_version], [0, 4, 2, CODEC_ID, "1.0.1"]);
    await makesFrames(machine, backup, "1.0.1");
    const made = (await backup.finish()).last().plugins.filter((each: Line) => each.plugin_id === CODEC_ID);
    deepEqual([...new Set(made.map(({ version }: Line) => version))].sort(), ["1.0.1", "1.0.2", "1.0.4"]);
    deepEqual((await succeeds(machine, "plugin", "list", "--json")).json(), before);
    await writePlugin(machine, "four.wasm", four);
    await succeeds(machine, "plugin", "replace", "four.wasm"); // reads what all wrote
    await backup.assertRestores(machine);
  }),
});

Deno.test({
  name: "sources are built with each change, and a build that fails is told with what it printed",
  ignore: !unix,
  fn: onMachine(async (machine) => {
    const project = machine.path("project"), made = join(project, "out", "toy.wasm");
    await Deno.mkdir(join(project, "out"), { recursive: true });
    await Deno.mkdir(join(project, ".builds"));
    await Deno.writeTextFile(join(project, ".gitignore"), "*.log\nout/\n");
    await Deno.writeTextFile(join(project, "plugin.yaml"), manifestOf("1.0.1"));
    for (const n of [1, 2]) await Deno.writeFile(join(project, ".builds", `${n}`), lz4(n));
    const choose = (n: number) => Deno.writeTextFile(join(project, "version"), `${n}`);
    await choose(1);
    const script =
      `echo building >> ${project}/build.log; cp "${project}/.builds/$(cat "${project}/version")" "${made}"`;
    await Deno.writeTextFile(join(project, "build.sh"), script);
    const yaml = join(project, "plugin.yaml");

    const author = new Development(machine, "--manifest", yaml, made, "--", "sh", join(project, "build.sh"));
    match(await author.code("plugin_swapped"), /1\.0\.1 /);
    await choose(7);
    match(await author.error(), /Cannot run sh: it ended with the exit code 1:\n.*No such file/s);
    await choose(2);
    await Deno.writeTextFile(yaml, manifestOf("1.0.2"));
    match(await author.code("plugin_swapped"), /1\.0\.2 /);
    const built = author.seen.filter(({ code }) => code === "plugin_builds").map(({ message }) => message);
    equal(built[0], "Building toy.wasm");
    ok(
      built.slice(1).every((each) => /^Building toy\.wasm, since (version|plugin\.yaml) changed$/.test(each)),
      `${built}`,
    );
    const { code, summary } = await author.end();
    deepEqual([code, summary.restored_version], [0, null]);
    match((await succeeds(machine, "plugin", "list")).stdout, /No plugin is installed/);
  }),
});

Deno.test(
  "without --watch a plugin is built and tried once by every rule, and nothing is loaded",
  onMachine(async (machine) => {
    await writePlugin(machine, "good.wasm", lz4(1));
    const good = await succeeds(machine, "plugin", "dev", "good.wasm");
    match(good.stdout, /takes over from itself.*\ncompression_lz4 1\.0\.1 keeps every rule that was tried/);
    await writePlugin(machine, "bad.wasm", toyCodec(2, BROKEN));
    const bad = await machine.run(["plugin", "dev", "bad.wasm", "--json"]);
    deepEqual([bad.code, bad.last().passed], [14, false]);
    const failing = await machine.run(["plugin", "dev", "good.wasm", "--", "no-such-program"]);
    deepEqual([failing.code, /Cannot run no-such-program/.test(failing.stderr)], [1, true]);
    match((await succeeds(machine, "plugin", "list")).stdout, /No plugin is installed/);
    const strict = { env: { AXIOM_CONFIG_PLUGINS_POLICY: "require" } };
    equal((await machine.run(["plugin", "dev", "--watch", "good.wasm"], strict)).code, 14);
  }),
);
