import { type Bytes, KIB, MIB, utf8 } from "../base/bytes.ts";

export interface Sample {
  readonly name: string;
  make(): Bytes;
}

/** Numbers without a pattern, the same in every run, so that a fault can be met again. */
function sequence(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export function noise(length: number, seed = 1): Bytes {
  const next = sequence(seed);
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = next() >>> 11;
  return data;
}

export function text(length: number, seed = 2): Bytes {
  const next = sequence(seed);
  const words = Array.from({ length: 300 }, () => {
    return Array.from({ length: 2 + next() % 9 }, () => String.fromCharCode(97 + next() % 26)).join("");
  });
  const data = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const word = utf8(`${words[Math.min(next() % 300, next() % 300)]} `);
    data.set(word.subarray(0, length - at), at);
    at += word.length;
  }
  return data;
}

function mixed(): Bytes {
  const data = text(256 * KIB);
  data.set(noise(128 * KIB), 64 * KIB);
  return data;
}

/** What every codec has to bring back, from nothing to twice the largest frame. */
export const SAMPLES: readonly Sample[] = [
  { name: "nothing", make: () => new Uint8Array(0) },
  { name: "1 byte", make: () => utf8("x") },
  { name: "1 MiB of zeros", make: () => new Uint8Array(MIB) },
  { name: "1 MiB of noise", make: () => noise(MIB) },
  { name: "1 MiB of text", make: () => text(MIB) },
  { name: "text and noise, mixed", make: mixed },
  { name: "65,537 bytes", make: () => text(64 * KIB + 1) },
  { name: "8 MiB of text", make: () => text(8 * MIB) },
];
