import { KIB } from "../base/bytes.ts";

const SLICE_BYTES = 4 * KIB;
const SLICES_MAX = 16;
/** Below this the entropy of a sample says little, and compressing takes no time. */
const LENGTH_MIN = 512;
/** Share of the bytes that a codec would have to save. */
const SAVING_MIN = 0.025;
const TABLE_BITS = 14;
/** 2^32 divided by the golden ratio. */
const HASH_MULTIPLIER = 0x9e3779b1;

/** x·log2(x) for every count that a slice can have. */
const WEIGHTED_LOGS = Float64Array.from({ length: SLICE_BYTES + 1 }, (_, x) => x === 0 ? 0 : x * Math.log2(x));
const counts = new Uint32Array(256);
const wordsSeen = new Int32Array(1 << TABLE_BITS);

/**
 * Share that coding single bytes would save: 1 - entropy / 8, where the entropy of a short sample is corrected upwards
 * (Miller, "Note on the bias of information estimates", 1955).
 */
function entropySaving(data: Uint8Array, from: number, to: number): number {
  counts.fill(0);
  for (let i = from; i < to; i++) counts[data[i]]++;
  let sum = 0, kinds = 0;
  for (let i = 0; i < 256; i++) {
    sum += WEIGHTED_LOGS[counts[i]];
    if (counts[i] !== 0) kinds++;
  }
  const length = to - from;
  const entropy = Math.log2(length) - sum / length + (kinds - 1) / (2 * Math.LN2 * length);
  return 1 - Math.min(8, entropy) / 8;
}

/** Places in `[from, to)` where four bytes stand that were seen before. */
function repeats(data: Uint8Array, from: number, to: number): number {
  let found = 0;
  let word = (data[from] << 8) | (data[from + 1] << 16) | (data[from + 2] << 24);
  for (let i = from + 3; i < to; i++) {
    word = (word >>> 8) | (data[i] << 24);
    const place = Math.imul(word, HASH_MULTIPLIER) >>> (32 - TABLE_BITS);
    if (wordsSeen[place] === word) found++;
    wordsSeen[place] = word;
  }
  return found;
}

/**
 * True if compressing `data` would save next to nothing, as with media, archives and random bytes; when in doubt false.
 *
 * It looks at up to 16 slices of 4 KiB spread evenly, so give it the whole frame and not its start. Text is told by the first of
 * them; what is incompressible takes all, about 0.13 ms. Repeats that are far apart escape it.
 */
export function looksIncompressible(data: Uint8Array): boolean {
  if (data.length < LENGTH_MIN) return false;
  const slices = Math.min(SLICES_MAX, Math.ceil(data.length / SLICE_BYTES));
  const sliceBytes = Math.min(SLICE_BYTES, Math.floor(data.length / slices));
  const step = slices === 1 ? 0 : (data.length - sliceBytes) / (slices - 1);
  let saving = 0;
  for (let slice = 0; slice < slices; slice++) {
    const from = Math.floor(slice * step);
    saving += entropySaving(data, from, from + sliceBytes) / slices;
    if (saving >= SAVING_MIN) return false;
  }
  wordsSeen.fill(0);
  for (let slice = 0; slice < slices; slice++) {
    const from = Math.floor(slice * step);
    saving += repeats(data, from, from + sliceBytes) / (slices * sliceBytes);
    if (saving >= SAVING_MIN) return false;
  }
  return true;
}
