import { createHash, hkdfSync } from "node:crypto";
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import { HmacKey } from "../stages/hmac.ts";

/** RFC 5869 takes it as 32 zeros. */
export const NO_SALT: Bytes = new Uint8Array(0);

/** HKDF-SHA-256, extract and expand. `info` is `label` in UTF-8, then `parts`, without separators. */
export function hkdf(
  key: Uint8Array,
  salt: Uint8Array,
  label: string,
  parts: readonly Uint8Array[],
  lengthBytes: number,
): Bytes {
  return new Uint8Array(hkdfSync("sha256", key, salt, concat([utf8(label), ...parts]), lengthBytes));
}

export function hmacSha256(key: Uint8Array, data: Uint8Array): Bytes {
  return new HmacKey(key).digest(data);
}

export function sha256(data: Uint8Array): Bytes {
  return new Uint8Array(createHash("sha256").update(data).digest());
}
