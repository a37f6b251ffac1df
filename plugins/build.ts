/**
 * Builds and packs the plugins of this folder: `deno task plugins [--check] [<plugin_id>]...`.
 *
 * With `--check` nothing is written: each is built and compared with the module that stands there. Where a compiler is absent
 * or of another version than the pinned one, its plugins are named as skipped.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packPlugin } from "../src/plugins/pack.ts";
import { type Built, type Plugin, plugins, readRecord, sha256, sourcesHash, WORK, writeRecord } from "./built.ts";
import type { Command } from "./compilers.ts";

async function run({ line: [program, ...args], env }: Command, cwd: string): Promise<void> {
  const { success } = await new Deno.Command(program, { args, env, cwd, stdout: "inherit", stderr: "inherit" })
    .output();
  if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
}

/** The packed module. */
async function build({ folder, compiler, id }: Plugin): Promise<Uint8Array<ArrayBuffer>> {
  Deno.mkdirSync(WORK, { recursive: true });
  const made = mkdtempSync(join(tmpdir(), "axiom-plugin-"));
  try {
    const output = join(made, `${id}.wasm`);
    for (const command of compiler.build(folder, output, WORK)) await run(command, folder);
    const yaml = { name: join(folder, "plugin.yaml"), data: Deno.readFileSync(join(folder, "plugin.yaml")) };
    return packPlugin({ name: output, data: Deno.readFileSync(output) }, yaml).bytes;
  } finally {
    Deno.removeSync(made, { recursive: true });
  }
}

function same(a: Built | undefined, b: Built): boolean {
  return a?.sources === b.sources && a.wasm === b.wasm && a.compiler === b.compiler;
}

/** What was found, in words; undefined where all is well. */
async function handle(plugin: Plugin, record: Record<string, Built>, isCheck: boolean): Promise<string | undefined> {
  const { id, file, compiler } = plugin;
  const found = await compiler.find(plugin.folder);
  if (found !== compiler.pinned) {
    console.log(`${id}: skipped, it is built by ${compiler.pinned}, and here is ${found ?? "none"}`);
    return undefined;
  }
  const bytes = await build(plugin);
  const now = { sources: sourcesHash(plugin), wasm: sha256(bytes), compiler: compiler.pinned };
  if (!isCheck) {
    Deno.writeFileSync(file, bytes);
    record[id] = now;
  } else if (!same(record[id], now)) {
    return `${id}: built ${now.wasm} of sources ${now.sources}, recorded is ${JSON.stringify(record[id])}`;
  }
  console.log(`${id}: ${isCheck ? "the same" : "built"}, ${bytes.length} bytes, sha256 ${now.wasm}`);
  return undefined;
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    options: { check: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const all = plugins();
  const unknown = positionals.filter((id) => !all.some((plugin) => plugin.id === id));
  if (unknown.length > 0) throw new Error(`There is no plugin ${unknown.join(", ")}`);
  const record = readRecord();
  const faults: string[] = [];
  for (const plugin of all.filter(({ id }) => positionals.length === 0 || positionals.includes(id))) {
    const fault = await handle(plugin, record, values.check);
    if (fault !== undefined) faults.push(fault);
  }
  if (!values.check) {
    writeRecord(Object.fromEntries(all.filter(({ id }) => id in record).map(({ id }) => [id, record[id]])));
  }
  for (const fault of faults) console.error(fault);
  Deno.exit(faults.length === 0 ? 0 : 1);
}
