/** Plugins and sources for tests that run the program. */
import { join } from "node:path";
import { manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { runLengthCodec, TOY_CODEC_PAGES } from "../../src/plugins/toy_codec_fixture.ts";
import { pluginModule, type PluginParts } from "../../src/plugins/wasm_fixture.ts";
import { seededRandom } from "../fixtures/fixed.ts";
import type { Machine } from "./program.ts";

export const CODEC_ID = "compression_toy";

/** Version `n` of a codec that reads what its other versions wrote. */
export function toyCodec(n: number, parts: PluginParts = {}, manifest: Record<string, unknown> = {}) {
  const about = {
    plugin_id: CODEC_ID,
    version: `1.0.${n}`,
    limits: { memory_pages: 512, call_ms: 20_000 },
    ...manifest,
  };
  return pluginModule({
    execute: runLengthCodec(0x10 + n % 16),
    memory: { minimum: TOY_CODEC_PAGES },
    ...parts,
    sections: [manifestSection(about)],
  });
}

export async function writePlugin(machine: Machine, name: string, module: Uint8Array): Promise<string> {
  const path = machine.path(name);
  await Deno.writeFile(path, module);
  return path;
}

/** Runs of 16 to 79 equal bytes, of which the codec makes a tenth. */
export function runs(seed: string, sizeBytes: number): Uint8Array<ArrayBuffer> {
  return runsOf(seededRandom(seed), sizeBytes);
}

function runsOf(random: ReturnType<typeof seededRandom>, sizeBytes: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(sizeBytes), seeds = random(Math.ceil(sizeBytes / 16));
  for (let at = 0, i = 0; at < sizeBytes; i++) {
    const length = 16 + seeds[i] % 64;
    data.fill(seeds[i] ^ i, at, at += length);
  }
  return data;
}

/** Files of runs; no two are alike. */
export async function writeRuns(folder: string, files: number, bytesEach: number): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const random = seededRandom("runs");
  for (let file = 0; file < files; file++) {
    await Deno.writeFile(join(folder, `file ${file}`), runsOf(random, bytesEach));
  }
}
