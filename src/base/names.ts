/**
 * File names are bytes. Here they are strings in which every byte that is not part of valid UTF-8 is one lone surrogate,
 * U+DC80 + (byte - 0x80) (PEP 383), so that bytes → string → bytes is the identity for all names, and JSON can hold them.
 */
const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Length in bytes of the UTF-8 sequence that starts at `at`, or 0 if it is not valid (RFC 3629, section 4). */
function sequenceLength(data: Uint8Array, at: number): number {
  const lead = data[at];
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > data.length) return 0;
  const second = data[at + 1];
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if ((data[at + i] & 0xc0) !== 0x80) return 0;
  return length;
}

export function decodeName(data: Uint8Array): string {
  try {
    return strictDecoder.decode(data);
  } catch {
    let text = "";
    for (let at = 0; at < data.length;) {
      const length = sequenceLength(data, at);
      text += length === 0
        ? String.fromCharCode(0xdc00 + data[at])
        : strictDecoder.decode(data.subarray(at, at + length));
      at += Math.max(length, 1);
    }
    return text;
  }
}

/** Inverse of {@linkcode decodeName}; throws `RangeError` for a lone surrogate that it never makes. */
export function encodeName(name: string): Uint8Array<ArrayBuffer> {
  if (name.isWellFormed()) return encoder.encode(name) as Uint8Array<ArrayBuffer>;
  const parts: number[] = [];
  for (const character of name) {
    const code = character.codePointAt(0)!;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else if (code >= 0xd800 && code <= 0xdfff) {
      throw new RangeError(`Not a file name: lone surrogate ${code.toString(16)}`);
    } else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}

// deno-lint-ignore no-control-regex
const SIMPLE = /^[\u0000-\ud7ff]*$/;

/** Order of the names' bytes. UTF-16 order is the same below the surrogates, which is nearly always. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  if (SIMPLE.test(a) && SIMPLE.test(b)) return a < b ? -1 : 1;
  const left = encodeName(a), right = encodeName(b);
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) if (left[i] !== right[i]) return left[i] - right[i];
  return left.length - right.length;
}

export function sortNames(names: string[]): string[] {
  return names.every((name) => SIMPLE.test(name)) ? names.sort() : names.sort(compareNames);
}

/** Control characters, bytes that are not UTF-8, and what turns the direction of writing (Unicode Standard Annex 9). */
const UNSHOWN =
  // deno-lint-ignore no-control-regex
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{dc80}-\u{dcff}]/gu;

/** For people and terminals: bytes that are not UTF-8 and ASCII control characters as `\xNN`, others as `\uNNNN`. */
export function displayName(name: string): string {
  return name.replace(UNSHOWN, (character) => {
    const code = character.charCodeAt(0);
    if (code >= 0x80 && code < 0xdc00) return `\\u${code.toString(16).padStart(4, "0")}`;
    return `\\x${(code >= 0xdc80 ? code - 0xdc00 : code).toString(16).padStart(2, "0")}`;
  });
}

/** As {@linkcode displayName}, and no two names look alike: a backslash that could begin such a code comes as `\x5c`. */
export function exactName(name: string): string {
  return displayName(name.replace(/\\(?=x[0-9a-f]{2}|u[0-9a-f]{4})/g, "\\x5c"));
}

/** Inverse of {@linkcode exactName}. */
export function typedName(text: string): string {
  return text.replace(/(?:\\x[0-9a-f]{2})+|\\u([0-9a-f]{4})/g, (codes, character?: string) => {
    if (character !== undefined) return String.fromCharCode(parseInt(character, 16));
    return decodeName(Uint8Array.from(codes.slice(2).split("\\x"), (code) => parseInt(code, 16)));
  });
}
