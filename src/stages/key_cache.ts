import { type Bytes, toHex } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";

export type AesMode = "AES-GCM" | "AES-CBC" | "AES-CTR";

/**
 * Imported keys by mode and bytes, the least recently used one dropped first: a pack has one key for thousands of frames, and
 * importing it takes as long as sealing 30 KiB.
 */
export class KeyCache {
  readonly #keys = new Map<string, Promise<CryptoKey>>();

  constructor(readonly keysMax: number = LIMITS.cryptoKeysMax) {}

  get size(): number {
    return this.#keys.size;
  }

  /** @param key 32 bytes */
  aes(mode: AesMode, key: Bytes): Promise<CryptoKey> {
    const name = `${mode} ${toHex(key)}`;
    const known = this.#keys.get(name);
    const found = known ?? crypto.subtle.importKey("raw", key, mode, false, ["encrypt", "decrypt"]);
    this.#keys.delete(name);
    this.#keys.set(name, found);
    if (this.#keys.size > this.keysMax) this.#keys.delete(this.#keys.keys().next().value!);
    return found;
  }
}
