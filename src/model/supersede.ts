import { type Bytes, compareBytes, concat, viewOf } from "../base/bytes.ts";
import { INDEX_HEADER_BYTES, INDEX_NAME_BYTES, INDEX_PACK_BYTES } from "./index_object.ts";

/** The well-formed index object `payload` with `name` added, in its place, to those that it supersedes. */
export function supersedeAlso(payload: Bytes, name: Uint8Array): Bytes {
  const view = viewOf(payload);
  const count = view.getUint32(8, true);
  const start = INDEX_HEADER_BYTES + INDEX_PACK_BYTES * view.getUint32(4, true);
  let at = start;
  const end = start + INDEX_NAME_BYTES * count;
  while (at < end && compareBytes(payload.subarray(at, at + INDEX_NAME_BYTES), name) < 0) at += INDEX_NAME_BYTES;
  const more = concat([payload.subarray(0, at), name, payload.subarray(at)]);
  viewOf(more).setUint32(8, count + 1, true);
  return more;
}
