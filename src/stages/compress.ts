import type { Bytes } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import type { Codec } from "./codec.ts";
import { loadZstd, type Zstd } from "./zstd.ts";
import { zstdFrameFault } from "./zstd_frame.ts";

export { looksIncompressible } from "./incompressible.ts";

function damaged(why: string, cause?: unknown): AxiomError {
  return new AxiomError("data_damaged", `Cannot decompress a frame: ${why}`, { cause });
}

/** Identity: both directions return their argument itself. */
export function noneCodec(): Codec {
  return {
    pluginId: "compression_none",
    version: "1.0.0",
    formatId: "none",
    decoder: "built-in",
    levels: { minimum: 0, maximum: 0, default: 0 },
    encode: (plain) => plain,
    decode(stored, plainLength) {
      if (stored.length !== plainLength) throw damaged(`it holds ${stored.length} bytes instead of ${plainLength}`);
      return stored;
    },
  };
}

/**
 * Zstandard, format `zstd-1` (zstd_frame.ts). Synchronous after the first call, which loads an implementation.
 *
 * @param load Which implementation to use
 */
export function zstdCodec(load: () => Promise<Zstd> = loadZstd): Codec {
  const levels = { minimum: 1, maximum: 22, default: 3 };
  let loaded: Zstd | undefined;

  function withZstd(work: (zstd: Zstd) => Bytes): Bytes | Promise<Bytes> {
    return loaded === undefined ? load().then((zstd) => work(loaded = zstd)) : work(loaded);
  }

  return {
    pluginId: "compression_zstd",
    version: "1.0.0",
    formatId: "zstd-1",
    decoder: "built-in",
    levels,
    encode(plain, level) {
      if (!Number.isInteger(level) || level < levels.minimum || level > levels.maximum) {
        throw new RangeError(`Not a level of zstd: ${level}`);
      }
      return withZstd((zstd) => compress(zstd, plain, level));
    },
    decode(stored, plainLength) {
      const fault = zstdFrameFault(stored, plainLength);
      if (fault !== undefined) throw damaged(fault);
      return withZstd((zstd) => decompress(zstd, stored, plainLength));
    },
  };
}

function compress(zstd: Zstd, plain: Bytes, level: number): Bytes {
  try {
    return zstd.compress(plain, level);
  } catch (cause) {
    throw new AxiomError(
      "codec_failed",
      `Cannot compress ${plain.length} bytes with zstd at level ${level}: ${messageOf(cause)}`,
      { hint: "Choose a lower level, such as --compression zstd:3", cause },
    );
  }
}

function decompress(zstd: Zstd, stored: Bytes, plainLength: number): Bytes {
  let plain: Bytes;
  try {
    plain = zstd.decompress(stored, plainLength);
  } catch (cause) {
    throw damaged(messageOf(cause), cause);
  }
  if (plain.length !== plainLength) throw damaged(`it holds ${plain.length} bytes instead of ${plainLength}`);
  return plain;
}
