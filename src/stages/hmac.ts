import { createHash, type Hash } from "node:crypto";
import type { Bytes } from "../base/bytes.ts";

const BLOCK_BYTES = 64;
const INNER_PAD = 0x36;
const OUTER_PAD = 0x5c;

/**
 * HMAC-SHA-256 (RFC 2104) under one key, from two hashes that have taken the key in already and are copied for each message:
 * 840 MB/s for 4 KiB where `createHmac` makes 400-600, and that one prints a warning on Deno 2.4.
 */
export class HmacKey {
  readonly #inner: Hash;
  readonly #outer: Hash;

  constructor(key: Uint8Array) {
    const block = new Uint8Array(BLOCK_BYTES);
    block.set(key.length > BLOCK_BYTES ? createHash("sha256").update(key).digest() : key);
    this.#inner = createHash("sha256").update(block.map((byte) => byte ^ INNER_PAD));
    this.#outer = createHash("sha256").update(block.map((byte) => byte ^ OUTER_PAD));
  }

  /** 32 bytes over `parts` as if they were one. */
  digest(...parts: Uint8Array[]): Bytes {
    const inner = this.#inner.copy();
    for (const part of parts) inner.update(part);
    const tag = this.#outer.copy().update(inner.digest()).digest();
    return new Uint8Array(tag.buffer as ArrayBuffer, tag.byteOffset, tag.byteLength);
  }
}
