/**
 * What processes of one user say to each other about plugins: one line of JSON each way, then the connection ends.
 *
 * ```text
 * {"axiom_control":1,"command":"list"}    {"axiom_control":1,"command":"sync"}
 * {"pid":…,"plugins":[…],"changes":[…]}   {"pid":…,"problem":"…"}
 * ```
 *
 * `sync` has the process look at `plugins.lock` at once; nobody can be told by a socket what to load.
 */
import { type Bytes, concat, fromUtf8, utf8 } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import type { GenerationState } from "./generation.ts";
import type { PluginChange } from "./installed_changes.ts";

const VERSION = 1;
const NEWLINE = 10;

export type ControlCommand = "list" | "sync";

/** A generation in a running process. */
export interface RunningPlugin {
  readonly pluginId: string;
  readonly version: string;
  readonly sha256: string;
  readonly generation: number;
  readonly state: GenerationState;
  readonly calls: number;
  readonly faults: number;
  readonly isServing: boolean;
  readonly reason?: string;
}

export interface ControlAnswer {
  readonly pid: number;
  readonly plugins: readonly RunningPlugin[];
  /** What a `sync` did. */
  readonly changes: readonly PluginChange[];
  /** Why there is no better answer. */
  readonly problem?: string;
}

export function encodeCommand(command: ControlCommand): Bytes {
  return utf8(`${JSON.stringify({ axiom_control: VERSION, command })}\n`);
}

/** Undefined for what is none. */
export function decodeCommand(line: string): ControlCommand | undefined {
  try {
    const { axiom_control, command } = JSON.parse(line);
    return axiom_control === VERSION && (command === "list" || command === "sync") ? command : undefined;
  } catch {
    return undefined;
  }
}

export function encodeAnswer(answer: ControlAnswer): Bytes {
  return utf8(`${JSON.stringify(answer)}\n`);
}

/** Undefined for what is none. */
export function decodeAnswer(line: string): ControlAnswer | undefined {
  try {
    const answer = JSON.parse(line);
    const isOne = Number.isInteger(answer.pid) && Array.isArray(answer.plugins) && Array.isArray(answer.changes);
    return isOne ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** One line, without its end; undefined where the other side says something else, or too much. */
export async function readLine(connection: Pick<Deno.Conn, "read">): Promise<string | undefined> {
  const parts: Uint8Array[] = [], buffer = new Uint8Array(16 * 1024);
  for (let length = 0; length <= LIMITS.controlMessageBytesMax;) {
    const read = await connection.read(buffer);
    if (read === null) return undefined;
    parts.push(buffer.slice(0, read));
    length += read;
    if (buffer[read - 1] === NEWLINE) return fromUtf8(concat(parts)).trimEnd();
  }
  return undefined;
}

export async function writeAll(connection: Pick<Deno.Conn, "write">, data: Bytes): Promise<void> {
  for (let at = 0; at < data.length;) at += await connection.write(data.subarray(at));
}
