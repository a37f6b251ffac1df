import { type Bytes, equalBytes, free } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { collectGarbage } from "../base/garbage.ts";
import { BUILT_IN, type Cipher, type Codec, type FormatOrigin } from "./codec.ts";
import { frameAad, type FramePlace, openFrame, sealFrame } from "./frame.ts";
import type { PlainFrame } from "./frame_builder.ts";
import type { StageRegistry, Stages } from "./registry.ts";
import { CipherFault, CodecFault, type EncodedFrame, encodeOnTrial, faultOf } from "./trial.ts";
import { looksIncompressible, zstdCodec } from "./compress.ts";
import type { FrameGrant, FrameRequest, SealedFrame } from "./worker_protocol.ts";

/**
 * Compress and seal with their proof: the sealed bytes are opened and decoded, and every chunk is compared with the CRC-32 that
 * was taken with its id. What it looks for are accidents, in memory or in a codec, of which it misses one in 2^32; to
 * compute each id again costs a tenth of a whole backup. Whoever reads the frame later does recompute the ids.
 *
 * What a codec that can be replaced made is proved before it is sealed, so that its successor can try; then the seal is
 * proved by itself.
 */
export class FrameSealer {
  readonly #fallback = zstdCodec();

  constructor(
    readonly stages: Stages,
    /** Asks the owner of the packs for a place. */
    readonly request: (request: FrameRequest) => Promise<FrameGrant>,
  ) {}

  /** Throws `codec_failed`, or `plugin_failed`; nothing of the frame may then be used. */
  async seal(frame: PlainFrame): Promise<SealedFrame> {
    let instead: Codec | undefined, again: FrameRequest["again"];
    for (;;) {
      const use = this.stages.use();
      try {
        const encoded = await this.#encode(use.registry, frame, instead);
        return await this.#seal(use.registry, frame, encoded, again);
      } catch (error) {
        if (error instanceof CipherFault) {
          if (!this.#hasNextCipher(error.cipher)) throw error.error;
          again = { pack: error.grant.pack, frame: error.grant.place.frame };
          continue;
        }
        if (!(error instanceof CodecFault)) throw error;
        if (this.#hasNextCodec(error.codec)) continue;
        if (frame.style.mayFallBack !== true) throw error.error;
        await error.codec.trial!.giveWay(error.message);
        instead = this.#fallback;
      } finally {
        use.release();
      }
    }
  }

  /** Whether another generation took over from a codec. */
  #hasNextCodec({ pluginId, decoder }: Codec): boolean {
    const { registry, release } = this.stages.use();
    release();
    return registry.codecs.has(pluginId) && registry.codec(pluginId).decoder !== decoder;
  }

  /** Whether another generation of a cipher seals in the same format now; no other cipher ever takes its place. */
  #hasNextCipher({ pluginId, formatId, decoder }: Cipher): boolean {
    const { registry: { ciphers }, release } = this.stages.use();
    release();
    const next = ciphers.all.find((each) => each.pluginId === pluginId && each.formatId === formatId);
    return next !== undefined && next.decoder !== decoder;
  }

  async #seal(
    registry: StageRegistry,
    frame: PlainFrame,
    { codec, encoded }: EncodedFrame,
    again: FrameRequest["again"],
  ): Promise<SealedFrame> {
    const cipher = registry.cipherForFormat(frame.style.cipher);
    const grant = await this.request({
      kind: frame.style.kind,
      codec: originFields(codec),
      cipher: { ...originFields(cipher), keyBytes: cipher.keyBytes },
      storedBytes: encoded.length + cipher.overheadBytes(encoded.length),
      chunks: frame.lengths.length,
      again,
    });
    const sealed = await this.#sealed(codec, cipher, grant, frame.plain.length, encoded);
    if (encoded.buffer !== frame.plain.buffer && encoded.buffer !== sealed.buffer) free(encoded);
    if (codec.trial === undefined) {
      const decoded = await this.#decode(codec, cipher, grant.place, frame.plain.length, sealed);
      const fault = faultOf(frame, decoded);
      if (fault !== undefined) throw broken(codec, cipher, fault);
      if (decoded.buffer !== frame.plain.buffer && decoded.buffer !== sealed.buffer) free(decoded);
    }
    collectGarbage();
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

  /** Proved by itself where codec or cipher can be replaced. Throws {@linkcode CipherFault}. */
  async #sealed(codec: Codec, cipher: Cipher, grant: FrameGrant, plainBytes: number, encoded: Bytes): Promise<Bytes> {
    try {
      const sealed = await sealFrame(cipher, grant.place, plainBytes, encoded);
      if (codec.trial === undefined && cipher.trial === undefined) return sealed;
      const why = await this.#sealFault(cipher, grant.place, plainBytes, encoded, sealed);
      if (why === undefined) return sealed;
      await cipher.trial?.refuse(why);
      throw broken(codec, cipher, why);
    } catch (error) {
      throw cipher.trial === undefined ? error : new CipherFault(cipher, grant, error);
    }
  }

  /** Why `sealed` does not hold `encoded`; undefined if it does. */
  async #sealFault(
    cipher: Cipher,
    place: FramePlace,
    plainBytes: number,
    encoded: Bytes,
    sealed: Bytes,
  ): Promise<string | undefined> {
    try {
      const opened = await cipher.open(place.key, frameAad(place, plainBytes, sealed.length), sealed);
      const isRight = equalBytes(opened, encoded);
      if (opened.buffer !== sealed.buffer) free(opened);
      return isRight ? undefined : "it opens as other bytes";
    } catch (error) {
      return messageOf(error);
    }
  }

  async #decode(codec: Codec, cipher: Cipher, place: FramePlace, plainBytes: number, sealed: Bytes): Promise<Bytes> {
    try {
      return await openFrame(codec, cipher, place, plainBytes, sealed);
    } catch (cause) {
      throw broken(codec, cipher, messageOf(cause), cause);
    }
  }

  /** It was there when the operation began; since then it may have been put into quarantine. */
  #codecOf({ codecs }: StageRegistry, { style }: PlainFrame): Codec {
    if (codecs.has(style.codec)) return codecs.get(style.codec);
    if (style.mayFallBack === true) return this.#fallback;
    throw new AxiomError("plugin_failed", `Cannot compress with ${style.codec}: it is not in service any more`, {
      hint: OTHER_CODEC,
    });
  }

  /** A frame that does not shrink is stored as it is. */
  async #encode(registry: StageRegistry, frame: PlainFrame, instead?: Codec): Promise<EncodedFrame> {
    const { style, plain } = frame;
    const none = registry.codec("compression_none");
    if (style.codec === none.pluginId || looksIncompressible(plain)) {
      return { codec: none, encoded: plain };
    }
    const codec = instead ?? this.#codecOf(registry, frame);
    if (codec.trial !== undefined) return await encodeOnTrial(codec, none, frame);
    let encoded: Bytes;
    try {
      encoded = await codec.encode(plain, codec === this.#fallback ? codec.levels.default : style.level);
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

function originFields({ pluginId, version, formatId, decoder }: FormatOrigin): FormatOrigin {
  return { pluginId, version, formatId, decoder };
}

function nameOf({ pluginId, version }: FormatOrigin): string {
  return `${pluginId} ${version}`;
}

function broken(codec: Codec, cipher: Cipher, why: string, cause?: unknown): AxiomError {
  const isBuiltIn = codec.decoder === BUILT_IN && cipher.decoder === BUILT_IN;
  return new AxiomError(
    isBuiltIn ? "codec_failed" : "plugin_failed",
    `Cannot trust a frame that ${nameOf(codec)} encoded and ${nameOf(cipher)} sealed: ${why}`,
    { hint: OTHER_CODEC, cause },
  );
}
