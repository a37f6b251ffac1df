import type { Bytes } from "../base/bytes.ts";

/** Stands as {@linkcode FormatOrigin.decoder} where there is no file whose SHA-256 could stand there. */
export const BUILT_IN = "built-in";

/** What is written into a pack's sealed dictionary about whoever encoded or sealed a frame. */
export interface FormatOrigin {
  /** Such as `compression_zstd`; `[a-z][a-z0-9_]{2,63}`. */
  readonly pluginId: string;
  /** Semantic version of what wrote, for blame. */
  readonly version: string;
  /** What the bytes are, such as `zstd-1`; any codec of the same format can decode them. */
  readonly formatId: string;
  /** `built-in`, or the SHA-256 of the WASM decoder in hexadecimal. */
  readonly decoder: string;
}

/**
 * Compresses frames. `decode(encode(x)) = x`; every frame is decoded and compared before it is trusted.
 *
 * A result may be the argument itself, as with `compression_none`: compare the buffers before one of the two is freed.
 */
export interface Codec extends FormatOrigin {
  readonly levels: { minimum: number; maximum: number; default: number };
  encode(plain: Bytes, level: number): Bytes | Promise<Bytes>;
  /** Throws `data_damaged` unless `stored` decodes to exactly `plainLength` bytes; never makes more. */
  decode(stored: Bytes, plainLength: number): Bytes | Promise<Bytes>;
  /** Of a codec that can be replaced while it is used: a failure of either is its own, never that of stored data. */
  readonly trial?: {
    /** Decodes what {@linkcode encode} has just made, by a call of its own. */
    decode(encoded: Bytes, plainLength: number): Promise<Bytes>;
    /** Says that an answer was wrong; resolves when whoever counts that has decided. */
    refuse(why: string): Promise<void>;
    /** Says that another codec encodes in its place. */
    giveWay(why: string): Promise<void>;
  };
}

/** Seals frames under a key that was derived for one pack, kind and cipher. */
export interface Cipher extends FormatOrigin {
  /** Length of the key that {@linkcode seal} wants. */
  readonly keyBytes: number;
  /** Bytes that sealing adds. May depend on the length for padded modes. */
  overheadBytes(plainLength: number): number;
  /** Returns nonce ‖ ciphertext ‖ tag with a fresh random nonce. */
  seal(key: Bytes, aad: Bytes, plain: Bytes): Promise<Bytes>;
  /** Throws `data_damaged` if any bit of `sealed` or `aad` differs. The result may be a view of `sealed`. */
  open(key: Bytes, aad: Bytes, sealed: Bytes): Promise<Bytes>;
  /** Of a cipher that can be replaced while it is used. */
  readonly trial?: {
    /** Says that what it sealed does not open; resolves when whoever counts that has decided. */
    refuse(why: string): Promise<void>;
  };
}
