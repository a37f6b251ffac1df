import { type Bytes, equalBytes, KIB, MIB } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { formatSize } from "../base/sizes.ts";
import type { Codec } from "../stages/codec.ts";
import { type Check, type CheckContext, RuleBroken } from "./conformance.ts";
import { noise, type Sample, SAMPLES, text } from "./conformance_samples.ts";
import type { InstancePool } from "./instance_pool.ts";
import type { PluginManifest } from "./manifest.ts";
import { PluginFailure } from "./plugin_failure.ts";
import { levelsOf, wasmCodec } from "./wasm_codec.ts";

/** Calls after which a codec has all the memory that it needs for more of the same. */
const WARM_CALLS = 20;
const MORE_CALLS = 60;
const LONG_FRAMES = 100;
const LONG_MS = 10_000;

export function codecOf({ plugin }: CheckContext, pool: InstancePool): Codec {
  return wasmCodec(pool, plugin.manifest);
}

export function compressionChecks(manifest: PluginManifest): Check[] {
  return [
    ...SAMPLES.map((sample) => roundTrip(manifest, sample)),
    { group: "properties", name: "makes the same of the same", run: isRepeatable },
    { group: "properties", name: "says of damaged data that it is", run: meetsDamage },
    { group: "properties", name: "takes no more memory from call to call", run: keepsItsMemory },
    { group: "properties", name: "goes on for long", run: goesOn },
    { group: "speed", name: "4 MiB of text", run: speed },
  ];
}

function roundTrip(manifest: PluginManifest, { name, make }: Sample): Check {
  return {
    group: "properties",
    name: `brings back ${name}`,
    isBasic: name === "1 byte" ? true : undefined,
    async run(context) {
      const data = make();
      const { minimum, maximum, default: usual } = levelsOf(manifest);
      const levels = data.length > MIB ? [usual] : [...new Set([minimum, usual, maximum])];
      const codec = codecOf(context, context.pool);
      const seen: string[] = [];
      for (const level of levels) {
        const stored = await codec.encode(data, level);
        const back = await codec.decode(stored, data.length);
        if (!equalBytes(back, data)) throw new RuleBroken(difference(back, data, level));
        seen.push(`level ${level}: ${formatSize(stored.length)}`);
      }
      return seen.join(", ");
    },
  };
}

function difference(back: Bytes, data: Bytes, level: number): string {
  const at = data.findIndex((byte, i) => byte !== back[i]);
  return `what comes back at level ${level} differs at byte ${at} of ${data.length}: ${back[at]} instead of ${
    data[at]
  }`;
}

/** A fresh instance, and one that did other work before, must agree. */
async function isRepeatable(context: CheckContext): Promise<string> {
  const data = text(100 * KIB), other = noise(50 * KIB);
  const encode = async (pool: InstancePool) => (await codecOf(context, pool).encode(data, levelOf(context))).slice();
  const first = await context.fresh(encode);
  const later = await context.fresh(async (pool) => {
    await encode(pool);
    const between = await codecOf(context, pool).encode(other, levelOf(context));
    await codecOf(context, pool).decode(between, other.length);
    return await encode(pool);
  });
  if (!equalBytes(first, later)) throw new RuleBroken("what it makes of the same data depends on the calls before");
  return `${formatSize(data.length)} became the same ${formatSize(first.length)} in two instances`;
}

function levelOf({ plugin }: CheckContext): number {
  return levelsOf(plugin.manifest).default;
}

/** A codec without a checksum may give wrong bytes, which is found by their ids; it may not trap, loop or take all memory. */
async function meetsDamage(context: CheckContext): Promise<string> {
  const data = text(20 * KIB);
  const codec = codecOf(context, context.pool);
  const stored = (await codec.encode(data, levelOf(context))).slice();
  let refused = 0, unnoticed = 0;
  for (const { name, bytes } of damages(stored)) {
    try {
      await codec.decode(bytes, data.length);
      unnoticed++;
    } catch (error) {
      if (error instanceof PluginFailure) throw new RuleBroken(`${name}: ${error.message}`);
      if (!(error instanceof AxiomError) || error.kind !== "data_damaged") throw error;
      refused++;
    }
  }
  return `${refused} of ${refused + unnoticed} damaged frames were refused, the others gave other bytes`;
}

function* damages(stored: Bytes): Generator<{ name: string; bytes: Bytes }> {
  yield { name: "nothing at all", bytes: new Uint8Array(0) };
  yield { name: "noise", bytes: noise(stored.length, 7) };
  for (const part of [1, 2, 3, 4, 5, 6, 7]) {
    const length = Math.floor(stored.length * part / 8);
    yield { name: `cut to ${length} of ${stored.length} bytes`, bytes: stored.slice(0, length) };
  }
  const step = Math.max(1, Math.floor(stored.length / 60));
  for (let at = 0; at < stored.length; at += step) {
    const bytes = stored.slice();
    bytes[at] ^= 1 << (at % 8);
    yield { name: `bit ${at % 8} of byte ${at} flipped`, bytes };
  }
}

async function keepsItsMemory(context: CheckContext): Promise<string> {
  const data = text(64 * KIB);
  return await context.fresh(async (pool) => {
    const memoryAfter = async (calls: number) => {
      const codec = codecOf(context, pool);
      for (let i = 0; i < calls; i++) await codec.decode(await codec.encode(data, levelOf(context)), data.length);
      return (await pool.call({ verb: "validate" })).memoryBytes;
    };
    const warm = await memoryAfter(WARM_CALLS), later = await memoryAfter(MORE_CALLS);
    if (later > warm) {
      throw new RuleBroken(`it had ${formatSize(warm)} after ${WARM_CALLS} calls and ${formatSize(later)} after more`);
    }
    return `${formatSize(warm)} after ${WARM_CALLS} calls and after ${WARM_CALLS + MORE_CALLS}`;
  });
}

/** Some languages give memory back only when they are asked to. */
async function goesOn(context: CheckContext): Promise<string> {
  const data = new Uint8Array(4 * MIB).fill(7);
  const until = context.clock.monotonicMs() + LONG_MS;
  return await context.fresh(async (pool) => {
    const codec = codecOf(context, pool);
    let frames = 0;
    while (frames < LONG_FRAMES && context.clock.monotonicMs() < until) {
      await codec.decode(await codec.encode(data, levelOf(context)), data.length);
      frames++;
    }
    return `${frames} frames of 4 MiB by one instance`;
  });
}

async function speed(context: CheckContext): Promise<string> {
  const data = text(4 * MIB);
  const codec = codecOf(context, context.pool);
  const stored = (await codec.encode(data, levelOf(context))).slice();
  await codec.decode(stored, data.length);
  const rate = async (work: () => unknown) => {
    const from = context.clock.monotonicMs();
    for (let i = 0; i < 4; i++) await work();
    return Math.round(16 * 1000 / Math.max(1, context.clock.monotonicMs() - from));
  };
  const encoding = await rate(() => codec.encode(data, levelOf(context)));
  const decoding = await rate(() => codec.decode(stored, data.length));
  return `encodes ${encoding} MiB/s, decodes ${decoding} MiB/s, to ${(100 * stored.length / data.length).toFixed(1)} %`;
}
