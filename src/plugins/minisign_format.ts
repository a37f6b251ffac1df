/**
 * The files of minisign (jedisct1.github.io/minisign), each of lines of which every second one is base64:
 *
 *     public key   "Ed" | key id 8 | public key 32
 *     secret key   "Ed" | kdf 2, zeros for none | "B2" | kdf salt and limits 48 | key id 8 | seed 32 | public key 32 | checksum 32
 *     signature    "ED" | key id 8 | signature of the BLAKE2b-512 of the file 64, then of that and the trusted comment 64
 */
import { type Bytes, concat, fromBase64, toBase64, utf8 } from "../base/bytes.ts";

export interface PublicKey {
  readonly keyId: Bytes;
  readonly key: Bytes;
}

export interface SecretKey extends PublicKey {
  /** 32 bytes, from which the key pair is made. */
  readonly seed: Bytes;
}

export interface Signature {
  readonly keyId: Bytes;
  readonly signature: Bytes;
  /** One line that {@linkcode globalSignature} covers. */
  readonly trustedComment: string;
  readonly globalSignature: Bytes;
}

const KEY_ALGORITHM = "Ed", PREHASHED = "ED", CHECKSUM_ALGORITHM = "B2";
const KEY_ID_BYTES = 8, KEY_BYTES = 32, SIGNATURE_BYTES = 64, KDF_BYTES = 48, CHECKSUM_BYTES = 32;
const NO_KDF = "\0\0";
const UNTRUSTED = "untrusted comment: ", TRUSTED = "trusted comment: ";
const COMMENT_BYTES_MAX = 8192 - TRUSTED.length; // TRUSTEDCOMMENTMAXBYTES of minisign

/** As minisign prints it: the eight bytes as one little-endian number, 16 hexadecimal digits. */
export function keyName(keyId: Uint8Array): string {
  return [...keyId].reverse().map((byte) => byte.toString(16).padStart(2, "0")).join("").toUpperCase();
}

/** The one line that names a public key: `RW…`, 56 characters. */
export function publicKeyText({ keyId, key }: PublicKey): string {
  return toBase64(concat([utf8(KEY_ALGORITHM), keyId, key]));
}

export function formatPublicKey(key: PublicKey): string {
  return `${UNTRUSTED}minisign public key ${keyName(key.keyId)}\n${publicKeyText(key)}\n`;
}

/** Reads a whole file or its second line alone. Throws `RangeError` that says what is wrong with it. */
export function parsePublicKey(text: string): PublicKey {
  const lines = linesOf(text);
  const fields = new Fields(lines.length === 1 ? lines[0] : commented(lines, 2)[1], "public key");
  fields.expect(KEY_ALGORITHM);
  const key = { keyId: fields.take(KEY_ID_BYTES), key: fields.take(KEY_BYTES) };
  fields.end();
  return key;
}

/** Not protected by a password; the checksum is then zeros, as minisign writes it. */
export function formatSecretKey({ keyId, seed, key }: SecretKey): string {
  const head = [utf8(KEY_ALGORITHM), utf8(NO_KDF), utf8(CHECKSUM_ALGORITHM), new Uint8Array(KDF_BYTES)];
  const data = concat([...head, keyId, seed, key, new Uint8Array(CHECKSUM_BYTES)]);
  return `${UNTRUSTED}minisign secret key, not protected by a password\n${toBase64(data)}\n`;
}

/** Throws `RangeError` that says what is wrong with it, as for one that a password protects. */
export function parseSecretKey(text: string): SecretKey {
  const fields = new Fields(commented(linesOf(text), 2)[1], "secret key");
  fields.expect(KEY_ALGORITHM);
  if (fromLatin1(fields.take(2)) !== NO_KDF) {
    throw new RangeError("a password protects it, and only those without one can be used");
  }
  fields.expect(CHECKSUM_ALGORITHM);
  fields.take(KDF_BYTES);
  const key = { keyId: fields.take(KEY_ID_BYTES), seed: fields.take(KEY_BYTES), key: fields.take(KEY_BYTES) };
  fields.take(CHECKSUM_BYTES);
  fields.end();
  return key;
}

export function formatSignature({ keyId, signature, trustedComment, globalSignature }: Signature): string {
  return `${UNTRUSTED}signature from axiom, key ${keyName(keyId)}\n` +
    `${toBase64(concat([utf8(PREHASHED), keyId, signature]))}\n` +
    `${TRUSTED}${trustedComment}\n${toBase64(globalSignature)}\n`;
}

/** Throws `RangeError` that says what is wrong with it, as for the older form that is not prehashed. */
export function parseSignature(text: string): Signature {
  const lines = commented(linesOf(text), 4);
  const fields = new Fields(lines[1], "signature");
  const algorithm = fromLatin1(fields.take(2));
  if (algorithm === KEY_ALGORITHM) {
    throw new RangeError("it is of the old kind; sign again with minisign 0.10 or later");
  }
  if (algorithm !== PREHASHED) throw new RangeError("its algorithm is not the one of minisign");
  const keyId = fields.take(KEY_ID_BYTES), signature = fields.take(SIGNATURE_BYTES);
  fields.end();
  if (!lines[2].startsWith(TRUSTED)) throw new RangeError(`its third line does not begin with "${TRUSTED.trim()}"`);
  const trustedComment = lines[2].slice(TRUSTED.length);
  checkComment(trustedComment);
  const last = new Fields(lines[3], "signature");
  const globalSignature = last.take(SIGNATURE_BYTES);
  last.end();
  return { keyId, signature, trustedComment, globalSignature };
}

/** Throws `RangeError` for a trusted comment that minisign could not hold. */
export function checkComment(comment: string): void {
  // deno-lint-ignore no-control-regex
  if (/[\0-\x1f\x7f]/.test(comment)) throw new RangeError("its trusted comment has control characters");
  if (utf8(comment).length > COMMENT_BYTES_MAX) throw new RangeError("its trusted comment is too long");
}

function linesOf(text: string): string[] {
  const lines = text.split("\n").map((line) => line.replace(/\r$/, ""));
  while (lines.at(-1) === "") lines.pop();
  return lines;
}

function commented(lines: string[], count: number): string[] {
  if (lines.length !== count) throw new RangeError(`expected ${count} lines, found ${lines.length}`);
  if (!lines[0].startsWith(UNTRUSTED)) throw new RangeError(`it does not begin with "${UNTRUSTED.trim()}"`);
  return lines;
}

const fromLatin1 = (data: Uint8Array) => String.fromCharCode(...data);

/** Fields of a line of base64, in their order. */
class Fields {
  readonly #data: Bytes;
  #at = 0;

  constructor(line: string, readonly what: string) {
    try {
      this.#data = fromBase64(line);
    } catch {
      throw new RangeError(`the line of the ${what} is not base64`);
    }
    if (toBase64(this.#data) !== line) throw new RangeError(`the line of the ${what} is not canonical base64`);
  }

  take(length: number): Bytes {
    const part = this.#data.slice(this.#at, this.#at += length);
    if (part.length !== length) throw new RangeError(`the ${this.what} is too short: ${this.#data.length} bytes`);
    return part;
  }

  expect(algorithm: string): void {
    if (fromLatin1(this.take(algorithm.length)) !== algorithm) {
      throw new RangeError(`it is no ${this.what} of minisign`);
    }
  }

  end(): void {
    if (this.#at !== this.#data.length) {
      throw new RangeError(`the ${this.what} is too long: ${this.#data.length} bytes`);
    }
  }
}
