import type { Bytes } from "../base/bytes.ts";
import type { SourceFile } from "../platform/file_system.ts";
import type { CompareFile } from "./worker_protocol.ts";

/** Offset of the first byte between the chunks that is not zero; only what takes space on disk is read. */
export function dirtyHoleOf(source: SourceFile, { places, sizeBytes }: CompareFile, buffer: Bytes): number | undefined {
  const holes: { offset: number; end: number }[] = [];
  let end = 0;
  for (let i = 0; i < places.length; i += 2) {
    if (places[i] > end) holes.push({ offset: end, end: places[i] });
    end = places[i] + places[i + 1];
  }
  if (sizeBytes > end) holes.push({ offset: end, end: sizeBytes });
  if (holes.length === 0) return undefined;
  let next = 0;
  for (const segment of source.dataSegments(sizeBytes)) {
    const segmentEnd = segment.offset + segment.length;
    while (next < holes.length && holes[next].end <= segment.offset) next++;
    for (let i = next; i < holes.length && holes[i].offset < segmentEnd; i++) {
      const from = Math.max(holes[i].offset, segment.offset), to = Math.min(holes[i].end, segmentEnd);
      const dirty = firstNonZero(source, from, to, buffer);
      if (dirty !== undefined) return dirty;
    }
  }
  return undefined;
}

function firstNonZero(source: SourceFile, from: number, to: number, buffer: Bytes): number | undefined {
  for (let at = from; at < to;) {
    const part = buffer.subarray(0, Math.min(buffer.length, to - at));
    const length = source.read(part, at);
    const dirty = part.subarray(0, length).findIndex((byte) => byte !== 0);
    if (dirty >= 0) return at + dirty;
    if (length < part.length) return undefined;
    at += length;
  }
  return undefined;
}
