/**
 * Headers of a tar archive in the POSIX format "pax": IEEE Std 1003.1, pax, "ustar Interchange Format" and "pax Extended
 * Header". An extended header comes before an entry only for what the plain one cannot say: long names and those that are
 * not ASCII, nanoseconds, large numbers, extended attributes and ACLs (`SCHILY.xattr.` and `SCHILY.acl.`, as GNU tar, star
 * and libarchive read them).
 *
 * ```text
 * name 100 | mode 8 | uid 8 | gid 8 | size 12 | mtime 12 | checksum 8 | type 1 | link name 100 | "ustar\0" "00" |
 * user 32 | group 32 | major 8 | minor 8 | prefix 155 | 0 × 12                       numbers are octal, ended by NUL
 * ```
 */
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import { encodeName } from "../base/names.ts";
import { aclText } from "./acl_text.ts";

const TAR_BLOCK_BYTES = 512;

const TAR_TYPES = {
  file: "0",
  link: "1",
  symlink: "2",
  chardev: "3",
  blockdev: "4",
  dir: "5",
  fifo: "6",
  extended: "x",
} as const;

export interface TarMember {
  /** Relative, as `base/names.ts` decodes names; of a folder with `/` at its end. */
  path: string;
  type: keyof typeof TAR_TYPES;
  mode: number;
  uid: number;
  gid: number;
  user?: string;
  group?: string;
  mtimeNs: string;
  sizeBytes: number;
  /** What a symbolic link names, or the path of the member that a hard link is another name of. */
  target?: string;
  device?: readonly [number, number];
  xattrs: readonly { name: string; value: Uint8Array }[];
}

/** The header of a member, with its extended header before it where it needs one; whole blocks. */
export function encodeTarHeader(member: TarMember): Bytes {
  const header = plainHeader(member);
  const records = extendedRecords(member);
  if (records.length === 0) return header;
  const text = concat(records);
  const plain = { mode: 0o644, uid: 0, gid: 0, mtimeNs: "0", xattrs: [] };
  const extended = plainHeader({ ...plain, path: "././@PaxHeader", type: "extended", sizeBytes: text.length });
  return concat([extended, text, tarPadding(text.length), header]);
}

/** What fills the last block of a member or an extended header of `length` bytes. */
export function tarPadding(length: number): Bytes {
  return new Uint8Array((TAR_BLOCK_BYTES - length % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES);
}

// deno-lint-ignore no-control-regex
const ASCII = /^[\x01-\x7f]*$/;
const SECOND_NS = 1_000_000_000n;

function fits(text: string, bytesMax: number): boolean {
  return ASCII.test(text) && text.length <= bytesMax;
}

function octalMax(width: number): number {
  return 8 ** (width - 1) - 1;
}

function extendedRecords(member: TarMember): Bytes[] {
  const { path, target, user = "", group = "", mtimeNs } = member;
  const records: Bytes[] = [];
  const text = (key: string, value: string, bytesMax: number) => {
    if (!fits(value, bytesMax)) records.push(record(utf8(key), encodeName(value)));
  };
  const number = (key: string, value: number, width: number) => {
    if (value > octalMax(width)) records.push(record(utf8(key), utf8(String(value))));
  };
  text("path", path, 100);
  text("linkpath", target ?? "", 100);
  text("uname", user, 31);
  text("gname", group, 31);
  number("uid", member.uid, 8);
  number("gid", member.gid, 8);
  number("size", member.sizeBytes, 12);
  const seconds = wholeSeconds(mtimeNs);
  if (BigInt(mtimeNs) % SECOND_NS !== 0n || seconds < 0n || seconds > BigInt(octalMax(12))) {
    records.push(record(utf8("mtime"), utf8(decimalSeconds(mtimeNs))));
  }
  for (const { name, value } of member.xattrs) {
    // A "=" would end the key: GNU tar, xheader.c, xattr_encode_keyword().
    const key = name.replaceAll("%", "%25").replaceAll("=", "%3D");
    records.push(record(concat([utf8("SCHILY.xattr."), encodeName(key)]), value));
    const acl = /^system\.posix_acl_(access|default)$/.exec(name);
    const text = acl === null ? undefined : aclText(value);
    if (text !== undefined) records.push(record(utf8(`SCHILY.acl.${acl![1]}`), utf8(text)));
  }
  const isText = [path, target ?? "", user, group].every((each) => each.isWellFormed());
  return isText ? records : [record(utf8("hdrcharset"), utf8("BINARY")), ...records];
}

/** `<length of the whole record> <key>=<value>\n` */
function record(key: Uint8Array, value: Uint8Array): Bytes {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return concat([utf8(`${length} `), key, utf8("="), value, utf8("\n")]);
}

function wholeSeconds(timeNs: string): bigint {
  const ns = BigInt(timeNs);
  return (ns - ((ns % SECOND_NS) + SECOND_NS) % SECOND_NS) / SECOND_NS;
}

/** `-0.5` is half a second before 1970. */
function decimalSeconds(timeNs: string): string {
  const ns = BigInt(timeNs);
  const size = ns < 0n ? -ns : ns;
  const fraction = (size % SECOND_NS).toString().padStart(9, "0").replace(/0+$/, "");
  return `${ns < 0n ? "-" : ""}${size / SECOND_NS}${fraction === "" ? "" : `.${fraction}`}`;
}

function plainHeader(member: TarMember): Bytes {
  const data = new Uint8Array(TAR_BLOCK_BYTES);
  const text = (at: number, bytesMax: number, value: string) => data.set(encodeName(value).subarray(0, bytesMax), at);
  const octal = (at: number, width: number, value: number) =>
    text(at, width, (value > octalMax(width) ? 0 : value).toString(8).padStart(width - 1, "0"));
  const seconds = wholeSeconds(member.mtimeNs);
  text(0, 100, member.path);
  octal(100, 8, member.mode);
  octal(108, 8, member.uid);
  octal(116, 8, member.gid);
  octal(124, 12, member.sizeBytes);
  octal(136, 12, seconds < 0n ? 0 : Number(seconds));
  text(148, 8, " ".repeat(8));
  text(156, 1, TAR_TYPES[member.type]);
  text(157, 100, member.target ?? "");
  text(257, 8, "ustar\x0000");
  text(265, 31, member.user ?? "");
  text(297, 31, member.group ?? "");
  octal(329, 8, member.device?.[0] ?? 0);
  octal(337, 8, member.device?.[1] ?? 0);
  let sum = 0;
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) sum += data[i];
  text(148, 8, `${sum.toString(8).padStart(6, "0")}\0 `);
  return data;
}
