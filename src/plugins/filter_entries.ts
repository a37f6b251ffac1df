/**
 * What a filter is asked about, as bytes. A list of them is the input of `select`, whose output has one byte for each: 1 where
 * it is saved, 0 where it is left out.
 *
 * ```text
 * length of what follows u32 | kind u8 | 0 u8 × 3 | mode u32 | size u64 | modified i64 | length of path u32 | path | first bytes
 * ```
 */
import { type Bytes, concat, viewOf } from "../base/bytes.ts";

const KINDS = { file: 1, folder: 2, link: 3, other: 4 } as const;
const PATH_AT = 32;

export interface FilterEntry {
  readonly kind: keyof typeof KINDS;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly modifiedNs: bigint;
  /** Relative to what is saved, in the bytes of the file system. */
  readonly path: Bytes;
  /** Of a file; empty where they were not read. */
  readonly firstBytes: Bytes;
}

export function filterInput(entries: readonly FilterEntry[]): Bytes {
  return concat(entries.flatMap((entry) => {
    const fixed = new Uint8Array(PATH_AT), view = viewOf(fixed);
    view.setUint32(0, PATH_AT - 4 + entry.path.length + entry.firstBytes.length, true);
    fixed[4] = KINDS[entry.kind];
    view.setUint32(8, entry.mode, true);
    view.setBigUint64(12, BigInt(entry.sizeBytes), true);
    view.setBigInt64(20, entry.modifiedNs, true);
    view.setUint32(28, entry.path.length, true);
    return [fixed, entry.path, entry.firstBytes];
  }));
}
