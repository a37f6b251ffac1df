/** Filter plugins decide what is saved. */
import { deepStrictEqual as deepEqual, doesNotMatch, match, ok, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { FILTER_ID, toyFilter } from "../../src/plugins/toy_filter_fixture.ts";
import { COPY, LOOP_FOR_EVER, op } from "../../src/plugins/wasm_fixture.ts";
import { writePlugin } from "./plugin_fixture.ts";
import { type Ended, type Machine, onMachine } from "./program.ts";

async function succeeds(machine: Machine, ...args: string[]): Promise<Ended> {
  const ended = await machine.run(args);
  equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`);
  return ended;
}

/** Names below the source in the newest snapshot. */
async function saved(machine: Machine, source: string): Promise<string[]> {
  const { stdout } = await succeeds(machine, "ls", "--recursive", `latest:${source}`);
  return stdout.trim().split("\n").map((line) => line.slice(line.indexOf(source) + source.length + 1)).sort();
}

const ALL = ["a", "backup~", "folder", "folder/b", "gone~", "gone~/inside", "tilde"];
const LEFT = ["a", "folder", "folder/b"];

async function makeSource(machine: Machine): Promise<string> {
  const source = machine.path("source");
  await Deno.mkdir(`${source}/folder`, { recursive: true });
  await Deno.mkdir(`${source}/gone~`);
  for (const name of ["a", "backup~", "folder/b", "gone~/inside"]) await Deno.writeTextFile(`${source}/${name}`, name);
  await Deno.writeTextFile(`${source}/tilde`, "~ at the beginning");
  return source;
}

Deno.test(
  "what a filter leaves out is not saved, also where a snapshot without it has it",
  onMachine(async (machine) => {
    const source = await makeSource(machine);
    await succeeds(machine, "init");
    await succeeds(machine, "backup", source);
    deepEqual(await saved(machine, source), ALL);
    const missing = await machine.run(["backup", source, "--filter", "toy"]);
    equal(missing.code, 14);
    match(missing.stderr, /no plugin filter_toy is installed/);
    await succeeds(machine, "plugin", "load", await writePlugin(machine, "filter.wasm", toyFilter()));
    await succeeds(machine, "backup", source, "--filter", "toy");
    deepEqual(await saved(machine, source), LEFT);
    await succeeds(machine, "backup", source, "--filter", FILTER_ID);
    deepEqual(await saved(machine, source), LEFT);
    await succeeds(machine, "backup", `${source}/gone~`, source, "--filter", FILTER_ID);
    const { stdout } = await succeeds(machine, "ls", "--recursive", "latest");
    ok(/gone~\/inside/.test(stdout) && !/backup~/.test(stdout), stdout);
    await succeeds(machine, "backup", source);
    deepEqual(await saved(machine, source), ALL);
    const wrong = await machine.run(["backup", source, "--filter", "compression_zstd"]);
    equal(wrong.code, 2);
    match(wrong.stderr, /Cannot filter with compression_zstd: compression_zstd is for compression/);
  }),
);

Deno.test(
  "summary and snapshot name the filter that judged, and how much it left out",
  onMachine(async (machine) => {
    const source = await makeSource(machine);
    await succeeds(machine, "init");
    const path = await writePlugin(machine, "filter.wasm", toyFilter());
    await succeeds(machine, "plugin", "load", path);
    const sha256 = createHash("sha256").update(await Deno.readFile(path)).digest("hex");
    const plugin = { plugin_id: FILTER_ID, version: "1.0.0", sha256 };
    const { stdout } = await succeeds(machine, "backup", source, "--filter", "toy");
    match(stdout, new RegExp(`Filter: +${FILTER_ID} 1\\.0\\.0 \\(${sha256.slice(0, 12)}\\) left out 3 of 6`));
    const again = await succeeds(machine, "backup", source, "--filter", "toy", "--json");
    deepEqual(again.last().filters, [{ ...plugin, entries: 6, left_out: 3 }]);
    await succeeds(machine, "backup", source);
    const snapshots = (await succeeds(machine, "snapshots", "--json")).json();
    deepEqual(snapshots.map((each: { plugins: unknown }) => each.plugins), [[plugin], [plugin], []]);
  }),
);

Deno.test(
  "a filter that fails leaves out nothing, and is told",
  onMachine(async (machine, t) => {
    const source = await makeSource(machine);
    await succeeds(machine, "init");
    const cases = [
      { name: "traps", execute: [op.unreachable], text: /filter_toy 1\.0\.1 .*trap/ },
      { name: "answers too little", execute: [op.const(0)], text: /filter_toy 1\.0\.2 .*0 bytes for [0-9]+ entries/ },
      { name: "answers too much", execute: [...COPY, op.const(0)], text: /filter_toy 1\.0\.3 .*quota/ },
      { name: "fails", execute: [op.const(11)], text: /filter_toy 1\.0\.4 .*internal/ },
      { name: "does not end", execute: LOOP_FOR_EVER, text: /filter_toy 1\.0\.5 .*deadline/ },
    ];
    for (const [i, { name, execute, text }] of cases.entries()) {
      await t.step(name, async () => {
        const path = await writePlugin(machine, "bad.wasm", toyFilter(`1.0.${i + 1}`, execute));
        await succeeds(machine, "plugin", "load", path);
        const { stdout, stderr } = await succeeds(machine, "backup", source, "--filter", FILTER_ID);
        match(stderr, text);
        match(stderr, /what it was asked about is saved/);
        doesNotMatch(stdout, /Filter:/);
        deepEqual(await saved(machine, source), ALL);
        await succeeds(machine, "plugin", "unload", FILTER_ID);
      });
    }
  }),
);
