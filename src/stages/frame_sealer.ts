import { AxiomError } from "../base/errors.ts";
import { equalBytes, free } from "../base/bytes.ts";
import type { Bytes } from "../base/bytes.ts";
import type { Codec } from "./codec.ts";
import { openFrame, sealFrame } from "./frame.ts";
import { forEachChunk, type PlainFrame } from "./frame_builder.ts";
import type { StageRegistry } from "./registry.ts";
import { looksIncompressible } from "./compress.ts";
import type { FrameGrant, FrameRequest, SealedFrame } from "./worker_protocol.ts";

/** Compress and seal with their proof: the sealed bytes are opened and decoded, and every chunk id is recomputed. */
export class FrameSealer {
  constructor(
    readonly registry: StageRegistry,
    /** Asks the owner of the packs for a place. */
    readonly request: (request: FrameRequest) => Promise<FrameGrant>,
  ) {}

  /** Throws `codec_failed` or `data_damaged`; nothing of the frame may then be used. */
  async seal(frame: PlainFrame, identify: (chunk: Uint8Array) => Bytes): Promise<SealedFrame> {
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
    const decoded = await openFrame(codec, cipher, grant.place, frame.plain.length, sealed);
    forEachChunk({ ...frame, plain: decoded }, (id, chunk) => {
      if (!equalBytes(identify(chunk), id)) throw broken(codec);
    });
    for (const data of [encoded, decoded]) if (data.buffer !== frame.plain.buffer) free(data);
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

  /** A frame that does not shrink is stored as it is. */
  async #encode({ style, plain }: PlainFrame): Promise<{ codec: Codec; encoded: Bytes }> {
    const none = this.registry.codec("compression_none");
    if (style.codec === none.pluginId || looksIncompressible(plain)) {
      return { codec: none, encoded: plain };
    }
    const codec = this.registry.codec(style.codec);
    const encoded = await codec.encode(plain, style.level);
    return encoded.length < plain.length ? { codec, encoded } : { codec: none, encoded: plain };
  }
}

function broken(codec: Codec): AxiomError {
  return new AxiomError(
    "codec_failed",
    `Cannot trust a frame that ${codec.pluginId} ${codec.version} encoded: what was sealed decodes to other chunks`,
    { hint: "Test this machine's memory, or choose another codec with --compression" },
  );
}
