/**
 * POSIX ACLs, as Linux keeps them in extended attributes (`linux/posix_acl_xattr.h`), as texts of POSIX.1e, draft 17, which
 * archives hold: `user::rw-,user:1000:r--,…`.
 *
 * ```text
 * version 4 = 2 | entries: tag 2 | permissions 2 | id 4                                       numbers are little-endian
 * ```
 */
const VERSION = 2;
const HEAD_BYTES = 4;
const ENTRY_BYTES = 8;

const TAGS: Readonly<Record<number, { word: string; named: boolean }>> = {
  0x01: { word: "user", named: false },
  0x02: { word: "user", named: true },
  0x04: { word: "group", named: false },
  0x08: { word: "group", named: true },
  0x10: { word: "mask", named: false },
  0x20: { word: "other", named: false },
};

/** Undefined for what is no ACL. */
export function aclText(value: Uint8Array): string | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (value.length < HEAD_BYTES || (value.length - HEAD_BYTES) % ENTRY_BYTES !== 0) return undefined;
  if (view.getUint32(0, true) !== VERSION) return undefined;
  const entries: string[] = [];
  for (let at = HEAD_BYTES; at < value.length; at += ENTRY_BYTES) {
    const tag = TAGS[view.getUint16(at, true)];
    if (tag === undefined) return undefined;
    const bits = view.getUint16(at + 2, true);
    const permissions = [..."rwx"].map((letter, i) => bits & (4 >> i) ? letter : "-").join("");
    entries.push(`${tag.word}:${tag.named ? view.getUint32(at + 4, true) : ""}:${permissions}`);
  }
  return entries.join(",");
}
