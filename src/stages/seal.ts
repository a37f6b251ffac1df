/**
 * Built-in ciphers. Each binds `aad` to what it seals, and checks before it decrypts.
 *
 * ```text
 * aes-256-gcm-1                nonce 12 | ciphertext | tag 16                       key 32
 * aes-256-cbc-hmac-sha256-1    IV 16 | ciphertext, padded by PKCS #7 | tag 32       key 64 = encryption 32 | MAC 32
 * aes-256-ctr-hmac-sha256-1    IV 16 | ciphertext | tag 32                          key 64 = encryption 32 | MAC 32
 * plain-hmac-sha256-1          plain | first 16 bytes of the tag                    key 32, MAC alone
 *
 * tag   HMAC-SHA-256(MAC key, length of aad u64, little-endian | aad | all that stands before the tag)
 * ```
 *
 * GCM as in NIST SP 800-38D, CBC and CTR as in SP 800-38A, encrypt-then-MAC. The IV of CTR is the first counter block, which
 * counts up as one number of 128 bits, big-endian.
 *
 * AES is WebCrypto's: its work leaves this thread, and on Deno 2.7 node:crypto needs 3-8 times as long, and on 2.4 its CBC forgets
 * the padding of whole blocks.
 */
import { type Bytes, concat, equalSecrets, free, viewOf } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { type Random, systemRandom } from "../base/random.ts";
import type { Cipher } from "./codec.ts";
import { HmacKey } from "./hmac.ts";
import { KeyCache } from "./key_cache.ts";

const KEY_BYTES = 32;
const GCM_NONCE_BYTES = 12;
const GCM_TAG_BYTES = 16;
const BLOCK_BYTES = 16;
const TAG_BYTES = 32;
const PLAIN_TAG_BYTES = 16;
const COUNTER_BITS = 128;

const aesKeys = new KeyCache();

function requireKey(cipher: Cipher, key: Bytes): void {
  if (key.length !== cipher.keyBytes) {
    throw new RangeError(`${cipher.formatId} wants a key of ${cipher.keyBytes} bytes, not ${key.length}`);
  }
}

function damaged(cipher: Cipher, why: string, cause?: unknown): AxiomError {
  return new AxiomError("data_damaged", `Cannot open what ${cipher.formatId} sealed: ${why}`, { cause });
}

function requireLength(cipher: Cipher, sealed: Bytes): void {
  const least = cipher.overheadBytes(0);
  if (sealed.length < least) throw damaged(cipher, `it has ${sealed.length} bytes, at least ${least} are needed`);
}

const NOT_AUTHENTIC = "it was changed, belongs elsewhere, or was sealed with another key";

/** Runs WebCrypto's decryption, which answers `OperationError` to whatever it does not like about the data. */
async function decrypt(cipher: Cipher, work: Promise<ArrayBuffer>, why: string): Promise<Bytes> {
  try {
    return new Uint8Array(await work);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "OperationError") throw damaged(cipher, why, cause);
    throw cause;
  }
}

/** @param random Source of nonces; anything but the system's own is for test vectors */
export function aesGcmCipher(random: Random = systemRandom): Cipher {
  const cipher: Cipher = {
    pluginId: "encryption_aes",
    version: "1.0.0",
    formatId: "aes-256-gcm-1",
    decoder: "built-in",
    keyBytes: KEY_BYTES,
    overheadBytes: () => GCM_NONCE_BYTES + GCM_TAG_BYTES,
    async seal(key, aad, plain) {
      requireKey(cipher, key);
      const nonce = random(GCM_NONCE_BYTES);
      const parameters = { name: "AES-GCM", iv: nonce, additionalData: aad };
      const secret = new Uint8Array(
        await crypto.subtle.encrypt(parameters, await aesKeys.aes("AES-GCM", key), plain),
      );
      const sealed = concat([nonce, secret]);
      free(secret);
      return sealed;
    },
    async open(key, aad, sealed) {
      requireKey(cipher, key);
      requireLength(cipher, sealed);
      const parameters = { name: "AES-GCM", iv: sealed.subarray(0, GCM_NONCE_BYTES), additionalData: aad };
      const secret = sealed.subarray(GCM_NONCE_BYTES);
      return await decrypt(
        cipher,
        crypto.subtle.decrypt(parameters, await aesKeys.aes("AES-GCM", key), secret),
        NOT_AUTHENTIC,
      );
    },
  };
  return cipher;
}

function tagOf(key: Uint8Array, aad: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const length = new Uint8Array(8);
  viewOf(length).setBigUint64(0, BigInt(aad.length), true);
  return new HmacKey(key).digest(length, aad, ...parts);
}

interface MacMode {
  name: "AES-CBC" | "AES-CTR";
  formatId: string;
  /** Length of the ciphertext. */
  secretBytes(plainLength: number): number;
  parameters(iv: Bytes): AesCbcParams | AesCtrParams;
}

/** Encrypt-then-MAC; the key is 32 bytes for AES and 32 for the MAC. */
function aesMacCipher(mode: MacMode, random: Random): Cipher {
  const cipher: Cipher = {
    pluginId: "encryption_aes",
    version: "1.0.0",
    formatId: mode.formatId,
    decoder: "built-in",
    keyBytes: 2 * KEY_BYTES,
    overheadBytes: (plainLength) => BLOCK_BYTES + mode.secretBytes(plainLength) - plainLength + TAG_BYTES,
    async seal(key, aad, plain) {
      requireKey(cipher, key);
      const iv = random(BLOCK_BYTES);
      const aesKey = await aesKeys.aes(mode.name, key.subarray(0, KEY_BYTES));
      const secret = new Uint8Array(await crypto.subtle.encrypt(mode.parameters(iv), aesKey, plain));
      const sealed = concat([iv, secret, tagOf(key.subarray(KEY_BYTES), aad, iv, secret)]);
      free(secret);
      return sealed;
    },
    async open(key, aad, sealed) {
      requireKey(cipher, key);
      requireLength(cipher, sealed);
      const tagAt = sealed.length - TAG_BYTES;
      const tag = tagOf(key.subarray(KEY_BYTES), aad, sealed.subarray(0, tagAt));
      if (!equalSecrets(tag, sealed.subarray(tagAt))) throw damaged(cipher, NOT_AUTHENTIC);
      const aesKey = await aesKeys.aes(mode.name, key.subarray(0, KEY_BYTES));
      const iv = sealed.subarray(0, BLOCK_BYTES), secret = sealed.subarray(BLOCK_BYTES, tagAt);
      return await decrypt(
        cipher,
        crypto.subtle.decrypt(mode.parameters(iv), aesKey, secret),
        "its tag is right but its padding is not",
      );
    },
  };
  return cipher;
}

/** @param random Source of IVs; anything but the system's own is for test vectors */
export function aesCbcCipher(random: Random = systemRandom): Cipher {
  return aesMacCipher({
    name: "AES-CBC",
    formatId: "aes-256-cbc-hmac-sha256-1",
    secretBytes: (plainLength) => plainLength + BLOCK_BYTES - plainLength % BLOCK_BYTES,
    parameters: (iv) => ({ name: "AES-CBC", iv }),
  }, random);
}

/** @param random Source of IVs; anything but the system's own is for test vectors */
export function aesCtrCipher(random: Random = systemRandom): Cipher {
  return aesMacCipher({
    name: "AES-CTR",
    formatId: "aes-256-ctr-hmac-sha256-1",
    secretBytes: (plainLength) => plainLength,
    parameters: (iv) => ({ name: "AES-CTR", counter: iv, length: COUNTER_BITS }),
  }, random);
}

/** Hides nothing, but refuses what was changed. {@linkcode Cipher.open} returns a view of its argument. */
export function plainMacCipher(): Cipher {
  const cipher: Cipher = {
    pluginId: "plain_mac",
    version: "1.0.0",
    formatId: "plain-hmac-sha256-1",
    decoder: "built-in",
    keyBytes: KEY_BYTES,
    overheadBytes: () => PLAIN_TAG_BYTES,
    seal(key, aad, plain) {
      requireKey(cipher, key);
      return Promise.resolve(concat([plain, tagOf(key, aad, plain).subarray(0, PLAIN_TAG_BYTES)]));
    },
    open(key, aad, sealed) {
      requireKey(cipher, key);
      if (sealed.length < PLAIN_TAG_BYTES) return Promise.reject(damaged(cipher, `it has ${sealed.length} bytes`));
      const plain = sealed.subarray(0, sealed.length - PLAIN_TAG_BYTES);
      const tag = tagOf(key, aad, plain).subarray(0, PLAIN_TAG_BYTES);
      if (!equalSecrets(tag, sealed.subarray(plain.length))) return Promise.reject(damaged(cipher, NOT_AUTHENTIC));
      return Promise.resolve(plain);
    },
  };
  return cipher;
}
