import { LIMITS } from "../base/limits.ts";
import type { FileStat, SourceFile } from "../platform/file_system.ts";

type Segment = { offset: number; length: number };

/** Holes shorter than this are read as zeros: they would cost more than they save. */
const SPARSE_BYTES_MIN = 64 * 1024;

/** Whether a file is saved by regions: its holes were looked for, or several workers read it. */
export function isCutUp({ allocatedBytes, sizeBytes }: FileStat): boolean {
  return isHuge({ sizeBytes }) || (allocatedBytes < sizeBytes && sizeBytes >= SPARSE_BYTES_MIN);
}

export function isHuge({ sizeBytes }: Pick<FileStat, "sizeBytes">): boolean {
  return sizeBytes >= 2 * LIMITS.regionBytes;
}

/** A part of a file: `segments` hold data, and everything else from `from` to the end of the last one is holes. */
export interface Region {
  from: number;
  segments: Segment[];
}

/** Groups the parts of a file that hold data into regions of at most `LIMITS.regionBytes`. */
export function* regionsOf(source: Pick<SourceFile, "dataSegments">, sizeBytes: number): Generator<Region> {
  let region: Region = { from: 0, segments: [] };
  let bytes = 0;
  for (const segment of mergeSegments(source.dataSegments(sizeBytes), sizeBytes)) {
    let { offset, length } = segment;
    do {
      const part = Math.min(length, LIMITS.regionBytes - bytes);
      region.segments.push({ offset, length: part });
      bytes += part;
      offset += part;
      length -= part;
      if (bytes === LIMITS.regionBytes || region.segments.length === SEGMENTS_PER_REGION) {
        yield region;
        region = { from: offset, segments: [] };
        bytes = 0;
      }
    } while (length > 0);
  }
  if (region.segments.length > 0) yield region;
}

const SEGMENTS_PER_REGION = 1024;

/** Segments whose hole between them is short become one; a last empty one marks the end of a file that ends in a hole. */
function* mergeSegments(segments: Iterable<Segment>, sizeBytes: number): Generator<Segment> {
  let open: Segment = { offset: 0, length: 0 };
  for (const { offset, length } of segments) {
    if (offset - (open.offset + open.length) < SPARSE_BYTES_MIN) {
      open = { offset: open.offset, length: offset + length - open.offset };
    } else {
      yield open;
      open = { offset, length };
    }
  }
  yield open;
  if (open.offset + open.length < sizeBytes) yield { offset: sizeBytes, length: 0 };
}
