/**
 * `deno task bench [--work <dir>] [--folder <dir>] [--rounds <n>] [--only A,B,D,start,scale,plugins] [--json <file>]`
 *
 * Runs AXIOM and whatever peers are on the PATH over the same inputs, in turn, several rounds, and prints medians and ratios.
 */
import { parseArgs } from "node:util";
import { changePages, corpusA, corpusB, corpusD, exists, manyFiles, manyLinks, sparseFile } from "./corpora.ts";
import { folderBytes, measure, type Measured, median } from "./measure.ts";
import { pluginRows, pluginTable } from "./plugin_rows.ts";
import { type Row, table } from "./report.ts";
import { type Tool, toolsOnPath } from "./tools.ts";

const { values } = parseArgs({
  options: {
    work: { type: "string" },
    folder: { type: "string" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "start,A,B,D" },
    json: { type: "string" },
    "size-b": { type: "string", default: "1024" },
    "size-d": { type: "string", default: "512" },
    tools: { type: "string" },
  },
});
const work = values.work ??
  await Deno.makeTempDir({ prefix: "axiom-bench-", dir: exists("/dev/shm") ? "/dev/shm" : undefined });
const rounds = Number(values.rounds);
const wanted = new Set(values.only.split(","));
await Deno.mkdir(work, { recursive: true });
const tools = (await toolsOnPath()).filter(({ name }) =>
  values.tools === undefined || values.tools.split(",").includes(name)
);
const rows: Row[] = [];

async function remove(...paths: string[]): Promise<void> {
  for (const path of paths) await Deno.remove(path, { recursive: true }).catch(() => {});
}

async function fresh(tool: Tool): Promise<string> {
  const repository = `${work}/repository`;
  await remove(repository, `${repository}.cache`, `${repository}.state`);
  for (const command of tool.init(repository)) await measure(command);
  return repository;
}

function record(corpus: string, tool: Tool, runs: Measured[], extra: Partial<Row> = {}): void {
  rows.push({
    corpus,
    tool: tool.name,
    wallSeconds: median(runs.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(runs.map(({ cpuSeconds }) => cpuSeconds)),
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
    ...extra,
  });
}

/** One corpus, all tools in turn in each round, so that a slow minute of the machine meets all of them. */
async function inTurn(run: (tool: Tool) => Promise<Record<string, Measured & { bytes?: number }>>): Promise<void> {
  const runs = new Map<string, (Measured & { bytes?: number })[]>();
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) {
      console.error(`round ${round + 1} of ${rounds}: ${tool.name}`);
      for (const [corpus, measured] of Object.entries(await run(tool))) {
        const key = `${corpus}\t${tool.name}`;
        runs.set(key, [...runs.get(key) ?? [], measured]);
      }
    }
  }
  for (const [key, measured] of runs) {
    const [corpus, name] = key.split("\t");
    const sizes = measured.flatMap(({ bytes }) => bytes ?? []);
    const extra = sizes.length > 0 ? { bytes: median(sizes) } : {};
    record(corpus, tools.find((tool) => tool.name === name)!, measured, extra);
  }
}

if (wanted.has("start")) {
  for (const tool of tools.filter(({ start }) => start !== undefined)) {
    const runs: Measured[] = [];
    for (let i = 0; i < 10; i++) runs.push(await measure(tool.start!));
    record("axiom --version", tool, runs);
  }
}
if (wanted.has("A")) {
  const source = await corpusA(work, values.folder);
  await inTurn(async (tool) => {
    const repository = await fresh(tool);
    const first = await measure(tool.backup(repository, source));
    const bytes = folderBytes(repository);
    const unchanged = await measure(tool.backup(repository, source));
    const again = await measure(tool.backup(repository, source));
    const target = `${work}/restored`;
    await remove(target);
    const restored = tool.restore === undefined ? undefined : await measure(tool.restore(repository, target));
    await remove(target, repository);
    const backups = { "A first": { ...first, bytes }, "A unchanged": unchanged, "A unchanged again": again };
    return { ...backups, ...(restored && { "A restore": restored }) };
  });
}
if (wanted.has("B")) {
  const source = await corpusB(work, Number(values["size-b"]));
  await inTurn(async (tool) => {
    const repository = await fresh(tool);
    return { B: await measure(tool.backup(repository, source)) };
  });
}
if (wanted.has("D")) {
  const folder = `${work}/D`;
  await inTurn(async (tool) => {
    await Deno.mkdir(folder, { recursive: true });
    await corpusD(`${folder}/database.db`, Number(values["size-d"]));
    const repository = await fresh(tool);
    const first = await measure(tool.backup(repository, folder));
    const before = folderBytes(repository);
    await changePages(`${folder}/database.db`, Number(values["size-d"]));
    const second = await measure(tool.backup(repository, folder));
    const bytes = folderBytes(repository) - before;
    return { "D first": { ...first, bytes: before }, "D after 1 % changed": { ...second, bytes } };
  });
}
if (wanted.has("scale")) {
  const inputs: [string, (path: string) => void][] = [
    ["1,000,000 files in one folder", (path) => manyFiles(path, 1_000_000)],
    ["100,000 hard links", (path) => manyLinks(path, 100_000)],
    ["sparse file of 1 TB", (path) => {
      Deno.mkdirSync(path, { recursive: true });
      sparseFile(`${path}/sparse`, 10 ** 12);
    }],
  ];
  for (const [corpus, make] of inputs) {
    const source = `${work}/scale`;
    make(source);
    for (const tool of tools.filter(({ name }) => name.startsWith("axiom"))) {
      const repository = await fresh(tool);
      record(corpus, tool, [await measure(tool.backup(repository, source))], { bytes: folderBytes(repository) });
      record(`${corpus}, unchanged`, tool, [await measure(tool.backup(repository, source))]);
    }
    await remove(source);
  }
}
if (wanted.has("plugins")) {
  const source = await corpusA(work, values.folder);
  const plugin = new URL("../../plugins/compression_lz4/compression_lz4.wasm", import.meta.url).pathname;
  const environment = { XDG_DATA_HOME: `${work}/data` };
  for (const tool of tools.filter(({ name }) => name.startsWith("axiom"))) {
    const repository = await fresh(tool);
    await measure({ argv: [...tool.start!.argv.slice(0, -1), "plugin", "load", plugin], env: environment });
    const { argv, env } = tool.backup(repository, source);
    const first = await measure({ argv: [...argv, "--compression", "lz4"], env: { ...env, ...environment } });
    record("A first, LZ4 as a plugin", tool, [first], { bytes: folderBytes(repository) });
    await remove(repository, `${work}/data`);
  }
}
console.log(table(rows, tools));
if (wanted.has("plugins")) console.log(`\n${pluginTable(await pluginRows())}`);
if (values.json !== undefined) {
  await Deno.writeTextFile(
    values.json,
    JSON.stringify({ rows, tools: tools.map(({ name, version }) => ({ name, version })) }, null, 2),
  );
}
if (values.work === undefined) await remove(work);
