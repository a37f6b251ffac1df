import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { ByteRange } from "./object_store.ts";

/** Where stores in a folder keep what is not finished; no key starts with it. */
export const TEMPORARY = "tmp";

// Names that begin with a dot belong to systems (`.nfs0001`, `.DS_Store`); Windows drops a dot at the end.
const PART = /^[a-z0-9_-](?:[a-z0-9._-]*[a-z0-9_-])?$/;

/** Whether `name` can stand between the `/` of a key. */
export function isKeyPart(name: string): boolean {
  return PART.test(name);
}

export function isKey(text: string): boolean {
  if (text.length > LIMITS.keyBytesMax) return false;
  const parts = text.split("/");
  return parts.length <= LIMITS.keyPartsMax && parts[0] !== TEMPORARY && parts.every(isKeyPart);
}

/** Throws `usage` unless `key` is one: names in `[a-z0-9._-]` without a dot at either end, joined by `/`. */
export function checkKey(key: string): void {
  if (!isKey(key)) {
    throw new AxiomError("usage", `Cannot use ${JSON.stringify(key.slice(0, 80))} as the key of an object: not a key`);
  }
}

/** Throws `usage` unless `prefix` is a key and `/`, or empty for everything. */
export function checkPrefix(prefix: string): void {
  if (prefix !== "" && !(prefix.endsWith("/") && isKey(prefix.slice(0, -1)))) {
    throw new AxiomError("usage", `Cannot list ${JSON.stringify(prefix.slice(0, 80))}: not a key and "/"`);
  }
}

/** Throws `limit_exceeded` for a range that no object can have, before memory is taken for it. */
export function checkRange(key: string, { offset, length }: ByteRange): void {
  const whole = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!whole || length > LIMITS.packBytesMax || !Number.isSafeInteger(offset + length)) {
    throw new AxiomError(
      "limit_exceeded",
      `Cannot read ${length} bytes at ${offset} of ${key}: not a range of an object`,
    );
  }
}

/** Throws `limit_exceeded` for an object that is too large to be read as a whole. */
export function checkWhole(key: string, sizeBytes: number): void {
  if (sizeBytes > LIMITS.packBytesMax) {
    throw new AxiomError(
      "limit_exceeded",
      `Cannot read ${key}: it has ${sizeBytes} bytes, more than the ${LIMITS.packBytesMax} of the largest object`,
    );
  }
}

/** The error for an object that ends before `range` does. */
export function shortObject(key: string, range: ByteRange, sizeBytes: number): AxiomError {
  return new AxiomError(
    "data_damaged",
    `Cannot read ${range.length} bytes at ${range.offset} of ${key}: it has only ${sizeBytes}`,
    { hint: "Run `axiom check` to see what this affects" },
  );
}

export function missingObject(key: string, location: string, cause?: unknown): AxiomError {
  return new AxiomError("object_missing", `Cannot read ${key}: there is no such object in ${location}`, { cause });
}

/** @param detail How the existing object differs, such as its size */
export function existingObject(key: string, detail: string): AxiomError {
  return new AxiomError("object_exists", `Cannot store ${key}: another object has that name (${detail})`);
}

/** Name under which a damaged object is kept: `packs/ab/abc` → `damaged/packs-ab-abc.<random>`. */
export function damagedKey(key: string, randomName: string): string {
  return `damaged/${key.replaceAll("/", "-")}.${randomName}`;
}
