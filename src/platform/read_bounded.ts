import { type Bytes, concat } from "../base/bytes.ts";
import { Libc } from "./libc.ts";
import { findLibc } from "./open_file_system.ts";

const PART_BYTES = 64 * 1024;

/** Reads into all or a part of a buffer; null at the end. */
type Read = (into: Bytes) => Promise<number | null>;

/** The first `bytesMax` bytes of a file, which may also be a pipe; undefined where there is none. */
export async function readBounded(path: string, bytesMax: number): Promise<Bytes | undefined> {
  const descriptor = descriptorOf(path);
  if (descriptor !== undefined) return await readDescriptor(descriptor, path, bytesMax);
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    // A home folder such as /dev/null holds no file either.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
  try {
    return await readAll((into) => file.read(into), bytesMax);
  } finally {
    file.close();
  }
}

/** The first `bytesMax` bytes of standard input. */
export function readStandardInput(bytesMax: number): Promise<Bytes> {
  return readAll((into) => Deno.stdin.read(into), bytesMax);
}

/** What a shell writes for `<(command)`; Deno opens it only for programs that have every permission. */
function descriptorOf(path: string): number | undefined {
  if (path === "/dev/stdin") return 0;
  const digits = /^\/(?:dev\/fd|proc\/self\/fd)\/(\d{1,6})$/.exec(path)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

async function readDescriptor(descriptor: number, path: string, bytesMax: number): Promise<Bytes | undefined> {
  if (descriptor === 0) return await readStandardInput(bytesMax);
  const libc = findLibc();
  if (!(libc instanceof Libc)) throw new Error(`${path} cannot be read: ${libc.reason}`);
  const read = (into: Bytes) => libc.run("read", path, () => libc.symbols.read(descriptor, into, BigInt(into.length)));
  return await readAll((into) => Promise.resolve(read(into) || null), bytesMax);
}

function explain(error: unknown): never {
  throw error instanceof Deno.errors.IsADirectory ? new Error("a folder, not a file", { cause: error }) : error;
}

async function readAll(read: Read, bytesMax: number): Promise<Bytes> {
  const parts: Bytes[] = [];
  for (let left = bytesMax; left > 0;) {
    const part = new Uint8Array(Math.min(left, PART_BYTES));
    const count = await read(part).catch(explain);
    if (count === null) break;
    parts.push(part.subarray(0, count));
    left -= count;
  }
  return concat(parts);
}
