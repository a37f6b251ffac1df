/** Encoding by codecs that can be replaced while they are used. */
import { crc32 } from "node:zlib";
import { type Bytes, free } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import type { Cipher, Codec } from "./codec.ts";
import { forEachChunk, type PlainFrame } from "./frame_builder.ts";
import type { FrameGrant } from "./worker_protocol.ts";

export interface EncodedFrame {
  /** Whose format it is. */
  readonly codec: Codec;
  readonly encoded: Bytes;
}

/** A codec failed, and whoever took over from it can be asked instead. */
export class CodecFault extends Error {
  constructor(readonly codec: Codec, readonly error: unknown) {
    super(messageOf(error));
  }
}

/** A cipher failed, and nothing arrived at the place that was granted. */
export class CipherFault extends Error {
  constructor(readonly cipher: Cipher, readonly grant: FrameGrant, readonly error: unknown) {
    super(messageOf(error));
  }
}

/** Why `decoded` is not what the frame holds; undefined if it is. */
export function faultOf(frame: PlainFrame, decoded: Bytes): string | undefined {
  const plainBytes = frame.plain.length;
  if (decoded.length !== plainBytes) return `it decodes to ${decoded.length} bytes instead of ${plainBytes}`;
  let isRight = true;
  forEachChunk({ ...frame, plain: decoded }, (_id, chunk, at) => isRight &&= crc32(chunk) === frame.checks[at]);
  return isRight ? undefined : "it decodes to other chunks";
}

/** Encodes and proves it by decoding in a call of its own. Throws {@linkcode CodecFault}. */
export async function encodeOnTrial(
  codec: Codec,
  none: Codec,
  frame: PlainFrame,
): Promise<EncodedFrame> {
  const { plain, style } = frame;
  try {
    const encoded = await codec.encode(plain, style.level);
    if (encoded.length >= plain.length) return { codec: none, encoded: plain };
    const decoded = await codec.trial!.decode(encoded, plain.length);
    const why = faultOf(frame, decoded);
    free(decoded);
    if (why === undefined) return { codec, encoded };
    await codec.trial!.refuse(why);
    const { pluginId, version, decoder } = codec;
    const name = `${pluginId} ${version} (sha256 ${decoder.slice(0, 12)})`;
    throw new AxiomError("plugin_failed", `Cannot trust a frame that ${name} encoded: ${why}`, {
      hint: "Choose another codec with --compression",
    });
  } catch (error) {
    throw new CodecFault(codec, error);
  }
}
