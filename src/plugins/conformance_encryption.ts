import { type Bytes, KIB, MIB } from "../base/bytes.ts";
import { isKind } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { Cipher } from "../stages/codec.ts";
import { type Check, type CheckContext, RuleBroken } from "./conformance.ts";
import { noise, SAMPLES, text } from "./conformance_samples.ts";
import { wasmCipher } from "./wasm_cipher.ts";

const KEY = noise(32, 11);
const AAD = noise(20, 12);

/** Part of 64 KiB that is the same in unrelated data: 1 in 256, and never this much. */
const SAME_MAX = 0.02;

/** The same nonces in every run, none of them twice. */
function nonces(): Random {
  let seed = 100;
  return (length) => noise(length, seed++);
}

function cipherOf({ plugin, pool }: CheckContext): Cipher {
  return wasmCipher(pool, plugin.manifest, nonces());
}

export function encryptionChecks(): Check[] {
  const roundTrips = SAMPLES.map(({ name, make }): Check => ({
    group: "properties",
    name: `brings back ${name}`,
    isBasic: name === "1 byte" ? true : undefined,
    run: (context) => bringsBack(context, make()),
  }));
  return [
    ...roundTrips,
    { group: "properties", name: "hides what it seals", run: hides },
    { group: "properties", name: "uses the nonce", run: usesNonce },
    { group: "properties", name: "refuses every flipped bit", run: refusesFlips },
    { group: "properties", name: "refuses what is shorter or longer", run: refusesLengths },
    { group: "speed", name: "4 MiB", run: speed },
  ];
}

async function bringsBack(context: CheckContext, data: Bytes): Promise<string> {
  const cipher = cipherOf(context);
  for (const aad of [new Uint8Array(0), AAD, noise(1000, 13)]) {
    const back = await cipher.open(KEY, aad, await cipher.seal(KEY, aad, data));
    const at = data.findIndex((byte, i) => byte !== back[i]);
    if (at >= 0) throw new RuleBroken(`what comes back differs at byte ${at} of ${data.length}`);
  }
  return `with ${cipher.overheadBytes(data.length)} bytes more, and associated data of 0, 20 and 1,000 bytes`;
}

/** Whether more of the bytes are the same at the same place than chance makes them. */
function isAlike(a: Bytes, b: Bytes): boolean {
  return a.reduce((sum, byte, i) => sum + (byte === b[i] ? 1 : 0), 0) > SAME_MAX * a.length;
}

async function hides(context: CheckContext): Promise<string> {
  const { nonceBytes = 0 } = context.plugin.manifest;
  for (const data of [text(64 * KIB), new Uint8Array(64 * KIB)]) {
    const sealed = await cipherOf(context).seal(KEY, AAD, data);
    if (isAlike(data, sealed.subarray(nonceBytes))) throw new RuleBroken("what is stored shows the plain bytes");
  }
  return "text and zeros cannot be seen in what is stored";
}

async function usesNonce(context: CheckContext): Promise<string> {
  const { nonceBytes = 0 } = context.plugin.manifest;
  const cipher = cipherOf(context), data = text(64 * KIB);
  const [first, second] = [await cipher.seal(KEY, AAD, data), await cipher.seal(KEY, AAD, data)];
  if (isAlike(first.subarray(nonceBytes), second.subarray(nonceBytes))) {
    throw new RuleBroken("two nonces make the same ciphertext of the same data");
  }
  return "the same data became something else with another nonce";
}

async function isOpened(cipher: Cipher, key: Bytes, aad: Bytes, sealed: Bytes): Promise<boolean> {
  try {
    await cipher.open(key, aad, sealed);
    return true;
  } catch (error) {
    if (isKind(error, "data_damaged")) return false;
    throw error;
  }
}

async function refusesFlips(context: CheckContext): Promise<string> {
  const cipher = cipherOf(context);
  const sealed = (await cipher.seal(KEY, AAD, text(32))).slice();
  const flipped = (data: Bytes, bit: number) => data.map((byte, i) => i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte);
  const kinds = [
    { name: "the sealed bytes", data: sealed, open: (data: Bytes) => isOpened(cipher, KEY, AAD, data) },
    { name: "the associated data", data: AAD, open: (data: Bytes) => isOpened(cipher, KEY, data, sealed) },
    { name: "the key", data: KEY, open: (data: Bytes) => isOpened(cipher, data, AAD, sealed) },
  ];
  let bits = 0;
  for (const { name, data, open } of kinds) {
    for (let bit = 0; bit < 8 * data.length; bit++, bits++) {
      if (await open(flipped(data, bit))) throw new RuleBroken(`it opens with bit ${bit} of ${name} flipped`);
    }
  }
  if (!(await isOpened(cipher, KEY, AAD, sealed))) {
    throw new RuleBroken("it does not open what was not changed any more");
  }
  return `${bits} bits of sealed bytes, associated data and key`;
}

async function refusesLengths(context: CheckContext): Promise<string> {
  const cipher = cipherOf(context);
  const sealed = (await cipher.seal(KEY, AAD, text(32))).slice();
  for (let length = 0; length < sealed.length; length++) {
    if (await isOpened(cipher, KEY, AAD, sealed.slice(0, length))) {
      throw new RuleBroken(`it opens the first ${length} of ${sealed.length} bytes`);
    }
  }
  const longer = new Uint8Array(sealed.length + 1);
  longer.set(sealed);
  if (await isOpened(cipher, KEY, AAD, longer)) throw new RuleBroken("it opens with one more byte at the end");
  return `${sealed.length} shorter ones and a longer one`;
}

async function speed(context: CheckContext): Promise<string> {
  const cipher = cipherOf(context), data = text(4 * MIB);
  const from = context.clock.monotonicMs();
  for (let i = 0; i < 4; i++) await cipher.open(KEY, AAD, await cipher.seal(KEY, AAD, data));
  const rate = Math.round(16 * 1000 / Math.max(1, context.clock.monotonicMs() - from));
  return `seals and opens ${rate} MiB/s`;
}
