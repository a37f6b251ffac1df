import { type Bytes, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import type { PluginAnswer, PluginCall } from "./broker.ts";
import { PluginFailure, type PluginIdentity } from "./plugin_failure.ts";
import { resultOf } from "./plugin_result.ts";

/** As a source plugin lists it. */
export interface OfferedStream {
  /** A name that any folder can hold. */
  readonly name: string;
  /** Undefined where the plugin cannot know it. */
  readonly sizeBytes: number | undefined;
  /** Nanoseconds since 1970. */
  readonly modifiedNs: string | undefined;
  /** The same as before only where the content is. */
  readonly version: string | undefined;
}

/** One call of the plugin; a fault that the host saw in it, or in its answer, counts against the plugin. */
export type SourceCall = <T>(call: PluginCall, use: (answer: PluginAnswer, plugin: PluginIdentity) => T) => Promise<T>;

/** From the year 1678 to 2261. */
const TIME = /^(0|-?[1-9][0-9]{0,17}|-?[1-8][0-9]{18})$/;

/** Everything that is offered, in the order of the pages. An answer that is no list is the plugin's fault. */
export async function listStreams(call: SourceCall): Promise<OfferedStream[]> {
  const streams = new Map<string, OfferedStream>();
  let cursor: string | undefined;
  do {
    const parameters = { cursor, limit: LIMITS.pluginListEntries };
    cursor = await call({ verb: "execute", operation: "list", parameters }, (answer, plugin) => {
      const refuse = (why: string) => new PluginFailure(plugin, "abi", "use the list of", why);
      const { entries, cursor: next } = resultFor(answer, refuse);
      if (!Array.isArray(entries)) throw refuse("it has no entries");
      for (const entry of entries) {
        const stream = streamOf(entry, refuse);
        if (streams.has(stream.name)) throw refuse(`${displayName(stream.name)} is there twice`);
        if (streams.size === LIMITS.pluginStreamsMax) throw refuse(`it has more than ${streams.size} streams`);
        streams.set(stream.name, stream);
      }
      if (next !== undefined && entries.length === 0) throw refuse("a page is empty, and not the last one");
      return cursorOf(next, refuse);
    });
  } while (cursor !== undefined);
  return [...streams.values()];
}

type Refuse = (why: string) => PluginFailure;

// deno-lint-ignore no-explicit-any
function resultFor(answer: PluginAnswer, refuse: Refuse): Record<string, any> {
  try {
    return resultOf(answer);
  } catch {
    throw refuse("its result is no JSON object");
  }
}

function cursorOf(cursor: unknown, refuse: Refuse): string | undefined {
  if (cursor === undefined || cursor === null) return undefined;
  if (typeof cursor === "string" && cursor.length <= LIMITS.pluginCursorCharactersMax) return cursor;
  throw refuse(`its cursor is no text of at most ${LIMITS.pluginCursorCharactersMax} characters`);
}

function streamOf(entry: unknown, refuse: Refuse): OfferedStream {
  if (typeof entry !== "object" || entry === null) throw refuse("an entry is no object");
  const { name, length, modified_ns: modifiedNs, version } = entry as Record<string, unknown>;
  const nameFault = streamNameFault(name);
  if (nameFault !== undefined) {
    throw refuse(
      `${displayName(JSON.stringify(name)?.slice(0, 300) ?? "nothing")} is no name of a stream: ${nameFault}`,
    );
  }
  const shown = displayName(name as string);
  const sizeBytes = optional(length);
  if (sizeBytes !== undefined && !(Number.isSafeInteger(sizeBytes) && (sizeBytes as number) >= 0)) {
    throw refuse(`the length of ${shown} is no number of bytes`);
  }
  const modified = optional(modifiedNs);
  if (modified !== undefined && !(typeof modified === "string" && TIME.test(modified))) {
    throw refuse(`modified_ns of ${shown} is no text of a whole number`);
  }
  const known = optional(version);
  const isVersion = typeof known === "string" && known !== "" && known.length <= LIMITS.pluginCursorCharactersMax &&
    known.isWellFormed();
  if (known !== undefined && !isVersion) throw refuse(`the version of ${shown} is no text, or too long`);
  return { name, sizeBytes, modifiedNs: modified, version: known } as OfferedStream;
}

function optional(value: unknown): unknown {
  return value === null ? undefined : value;
}

/** Why a folder cannot hold it; every file system that AXIOM restores to can hold the others. */
function streamNameFault(name: unknown): string | undefined {
  if (typeof name !== "string") return "it is no text";
  if (name === "") return "it is empty";
  if (name === "." || name === "..") return "it leads elsewhere";
  if (name.includes("/")) return "it has a / in it";
  if (name.includes("\0")) return "it has a NUL in it";
  if (!name.isWellFormed()) return "it is no UTF-8";
  const bytes = utf8(name).length;
  if (bytes <= LIMITS.pluginStreamNameBytesMax) return undefined;
  return `it has ${bytes} bytes, at most ${LIMITS.pluginStreamNameBytesMax}`;
}

interface Part {
  readonly bytes: Bytes;
  readonly end: number;
  readonly cursor: string | undefined;
  readonly isLast: boolean;
}

/**
 * The bytes of a stream in order, the next part asked for while the one before is used. Throws `source_changed` where they
 * are other than listed, and what a call throws.
 */
export async function* readStream(
  stream: OfferedStream,
  call: SourceCall,
  partBytes: number = LIMITS.pluginReadBytes,
): AsyncGenerator<Bytes> {
  let next = readPart(stream, 0, undefined, call, partBytes);
  for (;;) {
    const part = await next;
    if (!part.isLast) {
      next = readPart(stream, part.end, part.cursor, call, partBytes);
      next.catch(() => {}); // thrown when its turn comes
    }
    if (part.bytes.length > 0) yield part.bytes;
    if (part.isLast) return;
  }
}

async function readPart(
  { name, sizeBytes, version }: OfferedStream,
  offset: number,
  cursor: string | undefined,
  call: SourceCall,
  length: number,
): Promise<Part> {
  const parameters = { name, offset, length, cursor, version };
  const asked = { verb: "execute", operation: "read", parameters, outputBytesMax: length } as const;
  const part = await call(asked, (answer, plugin): Part => {
    const refuse = (why: string) => new PluginFailure(plugin, "abi", `read ${displayName(name)} by`, why);
    const { output, result } = answer;
    const going = result === undefined ? undefined : cursorOf(resultFor(answer, refuse).cursor, refuse);
    if (going !== undefined && output.length === 0) throw refuse("it gave no byte, and says that there are more");
    const isLast = going === undefined && output.length < length;
    return { bytes: output, end: offset + output.length, cursor: going, isLast };
  });
  const bytesMax = sizeBytes ?? LIMITS.pluginStreamBytesMax;
  if (part.end > bytesMax) throw otherLength(name, `it goes on after ${bytesMax} bytes`, sizeBytes);
  if (part.isLast && sizeBytes !== undefined && part.end < sizeBytes) {
    throw otherLength(name, `it ended after ${part.end} bytes`, sizeBytes);
  }
  return part;
}

function otherLength(name: string, why: string, sizeBytes: number | undefined): AxiomError {
  const listed = sizeBytes === undefined
    ? "as many as a stream of unknown length may have"
    : `listed with ${sizeBytes}`;
  return new AxiomError("source_changed", `Cannot read the stream ${displayName(name)}: ${why}, ${listed}`, {
    hint: "Its plugin must list a length only where it is sure of it",
    retriable: false,
  });
}
