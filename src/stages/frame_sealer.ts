import { crc32 } from "node:zlib";
import { type Bytes, free } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { collectYoungGarbage } from "../base/garbage.ts";
import type { Cipher, Codec, FormatOrigin } from "./codec.ts";
import { type FramePlace, openFrame, sealFrame } from "./frame.ts";
import { forEachChunk, type PlainFrame } from "./frame_builder.ts";
import type { StageRegistry } from "./registry.ts";
import { looksIncompressible } from "./compress.ts";
import type { FrameGrant, FrameRequest, SealedFrame } from "./worker_protocol.ts";

/**
 * Compress and seal with their proof: the sealed bytes are opened and decoded, and every chunk is compared with the CRC-32 that
 * was taken with its id. What it looks for are accidents, in memory or in a codec, of which it misses one in 2^32; to
 * compute each id again costs a tenth of a whole backup. Whoever reads the frame later does recompute the ids.
 */
export class FrameSealer {
  constructor(
    readonly registry: StageRegistry,
    /** Asks the owner of the packs for a place. */
    readonly request: (request: FrameRequest) => Promise<FrameGrant>,
  ) {}

  /** Throws `codec_failed`; nothing of the frame may then be used. */
  async seal(frame: PlainFrame): Promise<SealedFrame> {
    const { codec, encoded } = await this.#encode(frame);
    const cipher = this.registry.cipherForFormat(frame.style.cipher);
    const grant = await this.request({
      kind: frame.style.kind,
      codec: codec.pluginId,
      cipher: cipher.formatId,
      storedBytes: encoded.length + cipher.overheadBytes(encoded.length),
      chunks: frame.lengths.length,
    });
    const sealed = await sealFrame(cipher, grant.place, frame.plain.length, encoded);
    if (encoded.buffer !== frame.plain.buffer && encoded.buffer !== sealed.buffer) free(encoded);
    const decoded = await this.#decode(codec, cipher, grant.place, frame.plain.length, sealed);
    forEachChunk({ ...frame, plain: decoded }, (_id, chunk, number) => {
      if (crc32(chunk) !== frame.checks[number]) throw broken(codec, cipher, "it decodes to other chunks");
    });
    if (decoded.buffer !== frame.plain.buffer && decoded.buffer !== sealed.buffer) free(decoded);
    collectYoungGarbage();
    return {
      pack: grant.pack,
      frame: grant.place.frame,
      codec: grant.place.codec,
      cipher: grant.place.cipher,
      kind: frame.style.kind,
      sealed,
      plainBytes: frame.plain.length,
      ids: frame.ids,
      lengths: frame.lengths,
    };
  }

  async #decode(codec: Codec, cipher: Cipher, place: FramePlace, plainBytes: number, sealed: Bytes): Promise<Bytes> {
    let decoded: Bytes;
    try {
      decoded = await openFrame(codec, cipher, place, plainBytes, sealed);
    } catch (cause) {
      throw broken(codec, cipher, messageOf(cause), cause);
    }
    if (decoded.length === plainBytes) return decoded;
    throw broken(codec, cipher, `it decodes to ${decoded.length} bytes instead of ${plainBytes}`);
  }

  /** A frame that does not shrink is stored as it is. */
  async #encode({ style, plain }: PlainFrame): Promise<{ codec: Codec; encoded: Bytes }> {
    const none = this.registry.codec("compression_none");
    if (style.codec === none.pluginId || looksIncompressible(plain)) {
      return { codec: none, encoded: plain };
    }
    const codec = this.registry.codec(style.codec);
    let encoded: Bytes;
    try {
      encoded = await codec.encode(plain, style.level);
    } catch (cause) {
      if (cause instanceof RangeError) throw cause; // a level that the codec does not have is the caller's fault
      throw new AxiomError("codec_failed", `Cannot compress with ${nameOf(codec)}: ${messageOf(cause)}`, {
        hint: OTHER_CODEC,
        cause,
      });
    }
    return encoded.length < plain.length ? { codec, encoded } : { codec: none, encoded: plain };
  }
}

const OTHER_CODEC = "Test this machine's memory, or choose another codec with --compression";

function nameOf({ pluginId, version }: FormatOrigin): string {
  return `${pluginId} ${version}`;
}

function broken(codec: Codec, cipher: Cipher, why: string, cause?: unknown): AxiomError {
  return new AxiomError(
    "codec_failed",
    `Cannot trust a frame that ${nameOf(codec)} encoded and ${nameOf(cipher)} sealed: ${why}`,
    { hint: OTHER_CODEC, cause },
  );
}
