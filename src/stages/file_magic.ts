/**
 * Signatures of formats that are rewritten in place. Where a signature is short, more of the header is checked: two bytes
 * alone stand in one of 65,536 random files.
 */
import { viewOf } from "../base/bytes.ts";

/** Bytes at an offset that alone tell the format. */
interface Magic {
  readonly format: string;
  readonly offset: number;
  readonly bytes: readonly number[];
}

function magic(format: string, offset: number, ...parts: readonly (string | number)[]): Magic {
  const bytes = parts.flatMap((part) =>
    typeof part === "number" ? [part] : [...part].map((character) => character.charCodeAt(0))
  );
  return { format, offset, bytes };
}

const MAGIC: readonly Magic[] = [
  magic("SQLite", 0, "SQLite format 3", 0),
  magic("SQLite journal (WAL), little-endian checksums", 0, 0x37, 0x7f, 0x06, 0x82),
  magic("SQLite journal (WAL), big-endian checksums", 0, 0x37, 0x7f, 0x06, 0x83),
  magic("LMDB, 64 bit", 16, 0xde, 0xc0, 0xef, 0xbe),
  magic("LMDB, 32 bit", 12, 0xde, 0xc0, 0xef, 0xbe),
  magic("Berkeley DB B-tree", 12, 0x62, 0x31, 0x05, 0x00),
  magic("Berkeley DB B-tree, big-endian", 12, 0x00, 0x05, 0x31, 0x62),
  magic("Berkeley DB hash", 12, 0x61, 0x15, 0x06, 0x00),
  magic("Berkeley DB hash, big-endian", 12, 0x00, 0x06, 0x15, 0x61),
  magic("Berkeley DB queue", 12, 0x53, 0x22, 0x04, 0x00),
  magic("Berkeley DB heap", 12, 0x82, 0x45, 0x07, 0x00),
  magic("WiredTiger", 0, 0x41, 0xd8, 0x01, 0x00, 0x01, 0x00),
  magic("Access (Jet)", 0, 0x00, 0x01, 0x00, 0x00, "Standard Jet DB"),
  magic("Access (ACE)", 0, 0x00, 0x01, 0x00, 0x00, "Standard ACE DB"),
  magic("Exchange, Windows (ESE)", 4, 0xef, 0xcd, 0xab, 0x89),
  magic("Outlook", 0, "!BDN"),
  magic("Realm", 16, "T-DB"),
  magic("qcow, qcow2", 0, "QFI", 0xfb),
  magic("QED", 0, "QED", 0),
  magic("VMDK", 0, "KDMV"),
  magic("VMDK of ESX", 0, "COWD"),
  magic("VMDK, space-efficient", 0, 0xbe, 0xba, 0xfe, 0xca, 0, 0, 0, 0),
  magic("VDI", 0x40, 0x7f, 0x10, 0xda, 0xbe),
  magic("VHDX", 0, "vhdxfile"),
  magic("VHD, dynamic", 0, "conectix"),
  magic("Parallels", 0, "WithoutFreeSpace"),
  magic("Parallels, extended", 0, "WithouFreSpacExt"),
  magic("macOS sparse image", 0, "sprs"),
  magic("LUKS", 0, "LUKS", 0xba, 0xbe),
  magic("LVM", 512, "LABELONE"),
  magic("GPT", 512, "EFI PART"),
  magic("GPT, sectors of 4 KiB", 4096, "EFI PART"),
  magic("NTFS", 3, "NTFS    "),
  magic("exFAT", 3, "EXFAT   "),
  magic("BitLocker", 3, "-FVE-FS-"),
  magic("XFS", 0, "XFSB"),
  magic("btrfs", 65_600, "_BHRfS_M"),
  magic("F2FS", 1024, 0x10, 0x20, 0xf5, 0xf2),
  magic("APFS", 32, "NXSB"),
  magic("HFS+", 1024, "H+", 0, 4),
  magic("HFSX", 1024, "HX", 0, 5),
  magic("swap space", 4086, "SWAPSPACE2"),
];

/** Disc images may hold a partition table as well, but are written once. Source: ECMA-119, 8.4: sector 16, byte 1. */
const ISO_9660 = magic("ISO 9660", 32_769, "CD001");

function holds(head: Uint8Array, { offset, bytes }: Magic): boolean {
  return head.length >= offset + bytes.length && bytes.every((byte, i) => head[offset + i] === byte);
}

/** Whether the first bytes of a file of `sizeBytes` are of a format that is rewritten in place. */
export function isSignedByMagic(head: Uint8Array, sizeBytes: number): boolean {
  if (holds(head, ISO_9660)) return false;
  if (MAGIC.some((each) => holds(head, each))) return true;
  const view = viewOf(head);
  return isExt(view) || isFat(head) || isPartitionTable(head) || isInnoDb(view) || isPostgres(view, sizeBytes);
}

/** ext2, 3, 4: magic 0xef53 at 56 of the superblock at 1024. Source: Linux, Documentation/filesystems/ext4/super.rst. */
function isExt(view: DataView): boolean {
  if (view.byteLength < 2048 || view.getUint16(1080, true) !== 0xef53) return false;
  const inodes = view.getUint32(1024, true), blocks = view.getUint32(1028, true);
  const logBlockBytes = view.getUint32(1048, true), revision = view.getUint32(1100, true);
  return inodes > 0 && blocks > 0 && logBlockBytes <= 6 && revision <= 1;
}

const text = (head: Uint8Array, from: number, to: number) => String.fromCharCode(...head.subarray(from, to));

/** FAT: the kind's name in the boot sector, at 54 or 82, and its signature. Source: Microsoft, FAT specification, 3. */
function isFat(head: Uint8Array): boolean {
  if (!isBootSector(head)) return false;
  return ["FAT12   ", "FAT16   "].includes(text(head, 54, 62)) || text(head, 82, 90) === "FAT32   ";
}

function isBootSector(head: Uint8Array): boolean {
  return head.length >= 512 && head[510] === 0x55 && head[511] === 0xaa;
}

/**
 * MBR: four entries of 16 bytes from 446, each active (0x80) or not (0), at least one with a type and a length. A kernel of
 * Linux begins with a boot sector too. Source: Linux, Documentation/arch/x86/boot.rst: "HdrS" at 0x202.
 */
function isPartitionTable(head: Uint8Array): boolean {
  if (!isBootSector(head) || text(head, 0x202, 0x206) === "HdrS") return false;
  const entries = [446, 462, 478, 494].map((at) => head.subarray(at, at + 16));
  if (entries.some(([status]) => status !== 0 && status !== 0x80)) return false;
  return entries.some((entry) => entry[4] !== 0 && entry.subarray(12).some((byte) => byte !== 0));
}

/** InnoDB: page 0 has number 0 at 4, type 8 (FSP_HDR) at 24, and the id of the tablespace at 34 and again at 38. */
function isInnoDb(view: DataView): boolean {
  return view.byteLength >= 64 && view.getUint32(4) === 0 && view.getUint16(24) === 8 &&
    view.getUint32(34) === view.getUint32(38) && view.getUint32(46) > 0;
}

const POSTGRES_PAGE_BYTES = 8192;
const POSTGRES_HEADER_BYTES = 24;

/**
 * PostgreSQL tables and indexes, whose names are numbers: each page of 8 KiB has its length and layout version 4 at 18, and
 * three offsets in order from 12. Two pages in a row must agree. Source: PostgreSQL, bufpage.h, PageHeaderData.
 */
function isPostgres(view: DataView, sizeBytes: number): boolean {
  if (sizeBytes % POSTGRES_PAGE_BYTES !== 0 || view.byteLength < 2 * POSTGRES_PAGE_BYTES) return false;
  return [0, POSTGRES_PAGE_BYTES].every((page) => {
    const [lower, upper, special] = [12, 14, 16].map((at) => view.getUint16(page + at, true));
    return view.getUint16(page + 18, true) === POSTGRES_PAGE_BYTES + 4 && view.getUint16(page + 10, true) <= 7 &&
      lower >= POSTGRES_HEADER_BYTES && lower <= upper && upper <= special && special <= POSTGRES_PAGE_BYTES;
  });
}
