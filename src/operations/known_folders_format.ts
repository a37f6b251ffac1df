/**
 * The form of what a client remembers of folders that were as an earlier snapshot has them. Only its own cache holds it.
 *
 * ```text
 * "AXIOMFLD" 8 | HMAC-SHA-256 of all that follows 32 | bytes of the header u32 | header, JSON | ids, 64 hexadecimal digits each
 * | for each id: fingerprint 32 | files u32 | others u32 | bytes f64 | folders u32
 *   | for each folder: its number in the listing u32 | id 32
 * ```
 *
 * Numbers are little endian.
 */
import { type Bytes, concat, equalSecrets, fromHex, fromUtf8, toHex, utf8, viewOf } from "../base/bytes.ts";

const MAGIC = utf8("AXIOMFLD");
const MAC_BYTES = 32;
const FINGERPRINT_BYTES = 32;
const ID_BYTES = 32, ID_DIGITS = 64;
const RECORD_BYTES = FINGERPRINT_BYTES + 4 + 4 + 8 + 4;
const FOLDER_BYTES = 4 + ID_BYTES;

/** What the records are worth nothing without. */
export interface KnownHeader {
  /** Of what the records depend on beside the listing. */
  binding: string;
  /** Names of the index objects that describe all that the folders need. */
  indexes: readonly string[];
  count: number;
}

export interface KnownRecord {
  /** 32 bytes: SHA-256. */
  fingerprint: Uint8Array;
  files: number;
  others: number;
  bytes: number;
  /** In the order of their names; numbers in the listing that the fingerprint is of. */
  folders: readonly { number: number; subtree: string }[];
}

export function encodeRecord({ fingerprint, files, others, bytes, folders }: KnownRecord): Bytes {
  const data = new Uint8Array(RECORD_BYTES + folders.length * FOLDER_BYTES), view = viewOf(data);
  data.set(fingerprint);
  view.setUint32(FINGERPRINT_BYTES, files, true);
  view.setUint32(FINGERPRINT_BYTES + 4, others, true);
  view.setFloat64(FINGERPRINT_BYTES + 8, bytes, true);
  view.setUint32(FINGERPRINT_BYTES + 16, folders.length, true);
  let at = RECORD_BYTES;
  for (const { number, subtree } of folders) {
    view.setUint32(at, number, true);
    data.set(fromHex(subtree), at + 4);
    at += FOLDER_BYTES;
  }
  return data;
}

/** @param data Begins with a record of {@linkcode encodeRecord} */
export function decodeRecord(data: Uint8Array): KnownRecord {
  const view = viewOf(data), count = view.getUint32(FINGERPRINT_BYTES + 16, true);
  const folders = Array.from({ length: count }, (_, i) => {
    const at = RECORD_BYTES + i * FOLDER_BYTES;
    return { number: view.getUint32(at, true), subtree: toHex(data.subarray(at + 4, at + FOLDER_BYTES)) };
  });
  return {
    fingerprint: data.subarray(0, FINGERPRINT_BYTES),
    files: view.getUint32(FINGERPRINT_BYTES, true),
    others: view.getUint32(FINGERPRINT_BYTES + 4, true),
    bytes: view.getFloat64(FINGERPRINT_BYTES + 8, true),
    folders,
  };
}

function recordBytes(data: Uint8Array): number {
  return RECORD_BYTES + viewOf(data).getUint32(FINGERPRINT_BYTES + 16, true) * FOLDER_BYTES;
}

/** @param mac HMAC under a key of the repository */
export function encodeKnown(
  header: Omit<KnownHeader, "count">,
  records: ReadonlyMap<string, Uint8Array>,
  mac: (data: Uint8Array) => Bytes,
): Bytes {
  const json = utf8(JSON.stringify({ ...header, count: records.size }));
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, json.length, true);
  const body = concat([length, json, utf8([...records.keys()].join("")), ...records.values()]);
  return concat([MAGIC, mac(body), body]);
}

/** The header and the stored records by folder id; undefined unless it was made by {@linkcode encodeKnown} under the same key. */
export function decodeKnown(
  data: Uint8Array,
  mac: (data: Uint8Array) => Bytes,
): { header: KnownHeader; records: Map<string, Uint8Array> } | undefined {
  const body = data.subarray(MAGIC.length + MAC_BYTES);
  if (body.length < 4 || !equalSecrets(data.subarray(0, MAGIC.length), MAGIC)) return undefined;
  if (!equalSecrets(data.subarray(MAGIC.length, MAGIC.length + MAC_BYTES), mac(body))) return undefined;
  const idsAt = 4 + viewOf(body).getUint32(0, true);
  const header: KnownHeader = JSON.parse(fromUtf8(body.subarray(4, idsAt)));
  const ids = fromUtf8(body.subarray(idsAt, idsAt + ID_DIGITS * header.count));
  const records = new Map<string, Uint8Array>();
  for (let i = 0, at = idsAt + ids.length; i < header.count; i++) {
    const record = body.subarray(at);
    const length = recordBytes(record);
    records.set(ids.slice(ID_DIGITS * i, ID_DIGITS * (i + 1)), record.subarray(0, length));
    at += length;
  }
  return { header, records };
}
