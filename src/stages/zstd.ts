import type { Bytes } from "../base/bytes.ts";
import { equalBytes, KIB } from "../base/bytes.ts";
import { zstdFrameFault } from "./zstd_frame.ts";

/** An implementation of Zstandard (RFC 8878). All of them read what any of them wrote. */
export interface Zstd {
  readonly implementation: "native" | "wasm";
  /**
   * Returns one frame with its content size and without a checksum, in a buffer of its own that may be longer.
   *
   * @param level 1-22
   */
  compress(plain: Bytes, level: number): Bytes;
  /** The caller has checked the outside of the frame. Throws `Error`, or returns another length, if it is damaged. */
  decompress(stored: Bytes, plainLength: number): Bytes;
}

/** The part of `node:zlib` that Deno has had since 2.5, with levels since 2.7. */
interface NativeZstd {
  zstdCompressSync(data: Bytes, options: Record<string, unknown>): Bytes;
  zstdDecompressSync(data: Bytes, options: Record<string, unknown>): Bytes;
  constants: { ZSTD_c_compressionLevel: number };
}

/** Below this `node:buffer` shares one buffer among many results, which then could not be freed one by one. */
const OUTPUT_BYTES_MIN = 16 * KIB;

/** Longest that `length` bytes can become: `ZSTD_COMPRESSBOUND` of zstd.h. */
export function zstdBound(length: number): number {
  return length + (length >>> 8) + (length < 128 * KIB ? (128 * KIB - length) >>> 11 : 0);
}

function plainView(data: Bytes): Bytes {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Output goes into one buffer that is always large enough: then zstd works in one pass without copies, and nothing waits for
 * the garbage collector. Pages that are not written to cost no memory.
 */
export class NodeZstd implements Zstd {
  readonly implementation = "native";
  constructor(readonly zlib: NativeZstd) {}

  compress(plain: Bytes, level: number): Bytes {
    return plainView(this.zlib.zstdCompressSync(plain, {
      params: { [this.zlib.constants.ZSTD_c_compressionLevel]: level },
      pledgedSrcSize: plain.length,
      chunkSize: Math.max(OUTPUT_BYTES_MIN, zstdBound(plain.length) + 64),
    }));
  }

  /** One byte more than needed, else a second buffer is made to see that nothing follows. */
  decompress(stored: Bytes, plainLength: number): Bytes {
    return plainView(this.zlib.zstdDecompressSync(stored, {
      chunkSize: Math.max(OUTPUT_BYTES_MIN, plainLength + 64),
      maxOutputLength: Math.max(1, plainLength),
    }));
  }
}

/** Text of which a high level makes less than a low one. */
function probeText(): Bytes {
  const data = new Uint8Array(8 * KIB);
  let state = 1;
  for (let at = 0; at < data.length;) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    const word = (state >>> 16) % 509;
    for (let i = 0; i < 3 + word % 5 && at < data.length; i++) data[at++] = 97 + (word * (i + 7)) % 26;
    if (at < data.length) data[at++] = 32;
  }
  return data;
}

/** Deno 2.5 and 2.6 have the functions, but throw when given a level. What counts is what they do. */
export function canReplaceWasm(zstd: Zstd): boolean {
  try {
    const plain = probeText();
    const quick = zstd.compress(plain, 1), small = zstd.compress(plain, 19);
    return small.length < quick.length && zstdFrameFault(small, plain.length) === undefined &&
      equalBytes(zstd.decompress(small, plain.length), plain);
  } catch {
    return false;
  }
}

async function chooseZstd(): Promise<Zstd> {
  const native = new NodeZstd(await import("node:zlib") as unknown as NativeZstd);
  if (canReplaceWasm(native)) return native;
  const { WasmZstd } = await import("./zstd_wasm.ts");
  return await WasmZstd.load();
}

let chosen: Promise<Zstd> | undefined;

/** Native where this Deno has it, else WASM; the same one for the life of the process or worker. */
export function loadZstd(): Promise<Zstd> {
  chosen ??= chooseZstd().catch((error) => {
    chosen = undefined;
    throw error;
  });
  return chosen;
}
