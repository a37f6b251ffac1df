import { type Bytes, concat } from "../base/bytes.ts";

const PART_BYTES = 64 * 1024;

/** The first `bytesMax` bytes of a file, which may also be a pipe; undefined where there is none. */
export async function readBounded(path: string, bytesMax: number): Promise<Bytes | undefined> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const parts: Bytes[] = [];
    for (let left = bytesMax; left > 0;) {
      const part = new Uint8Array(Math.min(left, PART_BYTES));
      const count = await file.read(part);
      if (count === null) break;
      parts.push(part.subarray(0, count));
      left -= count;
    }
    return concat(parts);
  } finally {
    file.close();
  }
}
