import type { Bytes } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import type { PackRecord } from "../model/index_object.ts";
import { packKey } from "../model/object_keys.ts";
import type { StoredTable } from "../model/stored_frame.ts";
import type { LoadFrame } from "../stages/worker_protocol.ts";
import type { PackReader } from "./pack_reader.ts";

export interface FetchedFrame {
  number: number;
  frame: LoadFrame;
}

interface FrameRange {
  number: number;
  offset: number;
  length: number;
}

/** Reads the stored bytes of some frames of a pack, in few requests: small ranges that are near each other are read as one. */
export async function* fetchFrames(
  reader: PackReader,
  pack: PackRecord,
  table: StoredTable,
  numbers: Iterable<number>,
  signal?: AbortSignal,
): AsyncGenerator<FetchedFrame> {
  const ranges: FrameRange[] = [];
  for (const number of numbers) {
    const { offset, storedBytes } = reader.frameOf(pack, table, number);
    ranges.push({ number, offset, length: storedBytes });
  }
  await reader.demandDecoders(table, ranges.map(({ number }) => number), signal);
  ranges.sort((a, b) => a.offset - b.offset);
  for (const group of nearRanges(ranges)) {
    const offset = group[0].offset;
    const last = group.at(-1)!;
    const length = last.offset + last.length - offset;
    const data: Bytes = await reader.store.get(packKey(pack.name), { offset, length }, signal);
    for (const range of group) {
      const sealed = group.length === 1
        ? data
        : data.slice(range.offset - offset, range.offset - offset + range.length);
      yield { number: range.number, frame: reader.loadFrame(pack, table, range.number, sealed) };
    }
  }
}

function* nearRanges(ranges: readonly FrameRange[]): Generator<FrameRange[]> {
  let group: FrameRange[] = [];
  let end = 0;
  for (const range of ranges) {
    const isNear = group.length > 0 && range.offset - end <= LIMITS.rangeGapBytes &&
      range.offset + range.length - group[0].offset <= LIMITS.framesRangeBytesMax;
    if (group.length > 0 && !isNear) {
      yield group;
      group = [];
    }
    group.push(range);
    end = range.offset + range.length;
  }
  if (group.length > 0) yield group;
}
