/** Bytes that own, or view, an unshared buffer; what WebCrypto and `postMessage` transfers accept. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8(text: string): Bytes {
  return encoder.encode(text) as Bytes;
}

/** Throws `TypeError` if `data` is not UTF-8. */
export function fromUtf8(data: Uint8Array): string {
  return decoder.decode(data);
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(data: Uint8Array): string {
  let text = "";
  for (let i = 0; i < data.length; i++) text += HEX[data[i]];
  return text;
}

/** Value of a hexadecimal digit by its character code; 16 for every other one. */
const DIGITS = new Uint8Array(256).fill(16);
for (let value = 0; value < 16; value++) {
  DIGITS[value.toString(16).charCodeAt(0)] = value;
  DIGITS[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** Throws `RangeError` unless `text` is an even number of hexadecimal digits. */
export function fromHex(text: string): Bytes {
  return fromHexInto(new Uint8Array(text.length >> 1), text);
}

/** Fills `data`, which it returns; throws `RangeError` unless `text` is exactly so many hexadecimal digits. */
export function fromHexInto(data: Bytes, text: string): Bytes {
  let wrong = text.length ^ (2 * data.length);
  for (let i = 0, at = 0; i < data.length; i++, at += 2) {
    const high = text.charCodeAt(at), low = text.charCodeAt(at + 1);
    wrong |= (high | low) >> 8;
    const byte = (DIGITS[high & 0xff] << 4) | DIGITS[low & 0xff];
    wrong |= (DIGITS[high & 0xff] | DIGITS[low & 0xff]) & 16;
    data[i] = byte;
  }
  if (wrong !== 0) throw new RangeError(`Not hexadecimal: ${text.slice(0, 80)}`);
  return data;
}

export function toBase64(data: Uint8Array): string {
  let text = "";
  for (let i = 0; i < data.length; i += 0x8000) text += String.fromCharCode(...data.subarray(i, i + 0x8000));
  return btoa(text);
}

/** Throws `RangeError` if `text` is not base64. */
export function fromBase64(text: string): Bytes {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw new RangeError(`Not base64: ${text.slice(0, 80)}`);
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function concat(parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return compareBytes(a, b) === 0;
}

/** Whether `part` stands in `data` at `at`; without a view on it, of which lists of ids would need thousands. */
export function standsAt(data: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (data[at + i] !== part[i]) return false;
  return true;
}

/** Lexicographic order of unsigned bytes: negative, zero or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Compares secrets in a time that depends on their length alone. */
export function equalSecrets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
  return difference === 0;
}

/** Frees the memory of `data` at once instead of at the next garbage collection; `data` is empty afterwards. */
export function free(data: Bytes): void {
  if (data.buffer.byteLength > 0) data.buffer.transfer(0);
}

export function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}
