import { concat, equalBytes, MIB } from "../base/bytes.ts";
import type { Bytes } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { formatSize } from "../base/sizes.ts";
import { type Check, type CheckContext, RuleBroken } from "./conformance.ts";
import { classOf, leavingCheck, networkCheck } from "./conformance_network.ts";
import type { InstancePool } from "./instance_pool.ts";
import { listStreams, type OfferedStream, readStream, type SourceCall } from "./wasm_source.ts";

/** Streams that are read, and how much of each; the first ones, the last ones and the shortest. */
const STREAMS = 20;
const BYTES = 16 * MIB;
const ODD_PART = 1000, ODD_BYTES = 300 * ODD_PART;
const CALLERS = 8;
const ABSENT = { name: "axiom: no such stream", offset: 0, length: LIMITS.pluginReadBytes };

export function sourceChecks(): Check[] {
  return [
    { group: "properties", name: "lists what it offers", isBasic: true, run: lists },
    { group: "properties", name: "lists the same in a fresh instance", run: listsTheSame },
    { group: "properties", name: "gives the same bytes again", run: givesTheSame },
    { group: "properties", name: "gives the same bytes in parts of another length", run: givesInParts },
    { group: "properties", name: "gives nothing where a stream ends", run: endsAtItsEnd },
    { group: "properties", name: "says not_found of a stream that it does not offer", run: knowsWhatIsAbsent },
    networkCheck(async (context) => {
      const [stream] = await chosen(context);
      return stream === undefined ? [] : [{ operation: "read", parameters: { ...ABSENT, ...shown(stream) } }];
    }),
    { group: "abuse", name: "serves many callers at once", run: servesMany },
    leavingCheck(async (context) => {
      const [stream] = await chosen(context);
      const parameters = stream === undefined ? ABSENT : { ...ABSENT, ...shown(stream) };
      return { operation: "read", parameters };
    }),
    { group: "speed", name: "the longest stream", run: speed },
  ];
}

function caller({ plugin: { manifest, sha256 }, signal }: CheckContext, pool: InstancePool): SourceCall {
  const plugin = { pluginId: manifest.pluginId, version: manifest.version, sha256 };
  return async (call, use) => use(await pool.call(call, { signal }), plugin);
}

/** What `read` is told of a stream. */
function shown({ name, version }: OfferedStream) {
  return { name, version };
}

async function lists(context: CheckContext): Promise<string> {
  const streams = await listStreams(caller(context, context.pool));
  const known = streams.filter(({ sizeBytes }) => sizeBytes !== undefined).length;
  return `${streams.length} with names that a folder can hold; of ${known} the length is known`;
}

async function listsTheSame(context: CheckContext): Promise<string> {
  const sorted = async (pool: InstancePool) => {
    const streams = await listStreams(caller(context, pool));
    return new Map(streams.map((stream) => [stream.name, JSON.stringify(stream)]));
  };
  const first = await sorted(context.pool), again = await context.fresh(sorted);
  for (const [a, b, when] of [[first, again, "once more"], [again, first, "before"]] as const) {
    for (const [name, stream] of a) {
      if (!b.has(name)) throw new RuleBroken(`it lists ${displayName(name)}, and did not ${when}`);
      if (b.get(name) !== stream) throw new RuleBroken(`it says ${stream}, and then ${b.get(name)}`);
    }
  }
  return `streams: ${first.size}`;
}

/** Of a long list the ends. */
async function chosen(context: CheckContext): Promise<OfferedStream[]> {
  const all = await listStreams(caller(context, context.pool));
  const bySize = all.toSorted((a, b) => (a.sizeBytes ?? Infinity) - (b.sizeBytes ?? Infinity));
  return [...new Set([...bySize.slice(0, STREAMS / 2), ...bySize.slice(-STREAMS / 2)])];
}

/** The first bytes, up to the end of the part in which there are so many. */
async function read(
  context: CheckContext,
  pool: InstancePool,
  stream: OfferedStream,
  bytesMax: number,
  partBytes?: number,
): Promise<Bytes> {
  const parts: Bytes[] = [];
  let bytes = 0;
  for await (const part of readStream(stream, caller(context, pool), partBytes)) {
    parts.push(part.slice());
    bytes += part.length;
    if (bytes >= bytesMax) break;
  }
  return concat(parts);
}

async function givesTheSame(context: CheckContext): Promise<string> {
  const streams = await chosen(context);
  let bytes = 0;
  for (const stream of streams) {
    const first = await read(context, context.pool, stream, BYTES);
    const again = await context.fresh((pool) => read(context, pool, stream, BYTES));
    refuseOther(stream, first, again, "the second time");
    bytes += first.length;
  }
  return `streams: ${streams.length}, with ${formatSize(bytes)}, each as long as it is listed`;
}

function refuseOther({ name }: OfferedStream, first: Bytes, again: Bytes, when: string): void {
  if (equalBytes(first, again)) return;
  const at = first.findIndex((byte, i) => byte !== again[i]);
  const where = at < 0 ? `has ${again.length} bytes instead of ${first.length}` : `differs at byte ${at}`;
  throw new RuleBroken(`the stream ${displayName(name)} ${where} ${when}`);
}

async function givesInParts(context: CheckContext): Promise<string> {
  const streams = await chosen(context);
  for (const stream of streams) {
    const whole = await read(context, context.pool, stream, ODD_BYTES);
    const parts = await read(context, context.pool, stream, ODD_BYTES, ODD_PART);
    const length = Math.min(whole.length, parts.length);
    const isShort = parts.length < Math.min(whole.length, ODD_BYTES);
    refuseOther(
      stream,
      isShort ? whole : whole.subarray(0, length),
      parts.subarray(0, length),
      `in parts of ${ODD_PART}`,
    );
  }
  return `streams: ${streams.length}, in parts of ${ODD_PART} bytes`;
}

async function endsAtItsEnd(context: CheckContext): Promise<string> {
  const { pool, signal } = context;
  let tried = 0;
  for (const stream of await chosen(context)) {
    const { name, sizeBytes } = stream;
    if (sizeBytes === undefined) continue;
    const parameters = { ...ABSENT, ...shown(stream), offset: sizeBytes };
    const call = { verb: "execute", operation: "read", parameters, outputBytesMax: ABSENT.length } as const;
    const { output, result } = await pool.call(call, { signal });
    if (result !== undefined) continue; // it goes by its own cursors, of which this call has none
    if (output.length > 0) {
      throw new RuleBroken(`the stream ${displayName(name)} gives ${output.length} bytes after its ${sizeBytes}`);
    }
    tried++;
  }
  return `streams: ${tried}`;
}

async function knowsWhatIsAbsent({ pool, signal }: CheckContext): Promise<string> {
  const answer = await classOf(pool, { operation: "read", parameters: ABSENT }, signal);
  if (answer === "not_found") return "not_found";
  throw new RuleBroken(`it answers ${answer ?? "0"} for a stream that it never listed`);
}

async function servesMany(context: CheckContext): Promise<string> {
  const streams = await chosen(context), { pool } = context;
  if (streams.length === 0) return "it offers no stream";
  const first = await Promise.all(streams.map((stream) => read(context, pool, stream, MIB)));
  await Promise.all(Array.from({ length: CALLERS }, async (_, i) => {
    const at = i % streams.length;
    refuseOther(streams[at], first[at], await read(context, pool, streams[at], MIB), "where many ask at once");
  }));
  return `${CALLERS} callers, each with its own answer`;
}

async function speed(context: CheckContext): Promise<string> {
  const stream = (await chosen(context)).at(-1);
  if (stream === undefined) return "it offers no stream";
  const from = context.clock.monotonicMs();
  const { length } = await read(context, context.pool, stream, BYTES);
  const ms = Math.max(1, context.clock.monotonicMs() - from);
  return `${formatSize(length)} at ${formatSize(length * 1000 / ms)}/s`;
}
