import type { Bytes } from "../base/bytes.ts";
import { decodeName, encodeName } from "../base/names.ts";
import { SystemError } from "./file_system.ts";

/** `PATH_MAX` of Linux, which counts the NUL. */
export const PATH_BYTES_MAX = 4096;

const encoder = new TextEncoder();
const buffers = [0, 1].map(() => new Uint8Array(new ArrayBuffer(PATH_BYTES_MAX)));

/**
 * A path or name with its NUL, in one of two buffers that the next call with the same `slot` overwrites.
 * Throws `EINVAL` for a NUL within, `EILSEQ` for what no system can hold, `ENAMETOOLONG`.
 */
export function cString(text: string, call: string, slot: 0 | 1 = 0): Bytes {
  const buffer = buffers[slot];
  let end = 0;
  if (text.isWellFormed()) {
    const { read, written } = encoder.encodeInto(text, buffer);
    end = read < text.length ? buffer.length : written;
  } else {
    const bytes = encodeMangled(text, call);
    end = bytes.length;
    if (end < buffer.length) buffer.set(bytes);
  }
  if (end >= buffer.length) throw new SystemError("ENAMETOOLONG", call, text);
  if (text.includes("\0")) throw new SystemError("EINVAL", call, text);
  buffer[end] = 0;
  return buffer;
}

/** Whether {@linkcode cString} accepts it, for what comes out of a repository. */
export function isCString(text: string): boolean {
  try {
    cString(text, "", 1);
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

function encodeMangled(text: string, call: string): Bytes {
  try {
    return encodeName(text);
  } catch (cause) {
    throw new SystemError("EILSEQ", call, text, { cause });
  }
}

/** The name that starts at `start` and ends before the next NUL. */
export function readCString(data: Bytes, start = 0): string {
  const end = data.indexOf(0, start);
  return decodeName(data.subarray(start, end < 0 ? data.length : end));
}
