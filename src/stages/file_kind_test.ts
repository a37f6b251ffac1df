import { strictEqual as equal } from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import fc from "fast-check";
import { KIB, MIB } from "../base/bytes.ts";
import { LIMITS } from "../base/limits.ts";
import { fileKind, REWRITTEN_BYTES_MIN } from "./file_kind.ts";

/** A file's beginning with texts and bytes at offsets. */
function head(parts: Record<number, string | number[]>, length = LIMITS.fileHeadBytes): Uint8Array {
  const data = new Uint8Array(length);
  for (const [offset, part] of Object.entries(parts)) {
    data.set(typeof part === "string" ? [...part].map((character) => character.charCodeAt(0)) : part, Number(offset));
  }
  return data;
}

const u32 = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
const ZEROS = head({});

Deno.test("fileKind() goes by the name first", async (t) => {
  const rewritten = [
    "a.db",
    "/d/places.sqlite",
    "x.SQLITE3",
    "app.sqlite-wal",
    "t.ibd",
    "ibdata1",
    "ib_logfile0",
    "undo_001",
    "T.MYD",
    "a.mdf",
    "a.vmdk",
    "disk-flat.vmdk",
    "VM.VDI",
    "a.vhdx",
    "a.qcow2",
    "sd.img",
    "disk.raw",
    "mail.pst",
    "old.mdb",
    "data.accdb",
    "a.b.fdb",
    "\udcff.db",
  ]; // deno-fmt-ignore
  for (const name of rewritten) await t.step(name, () => equal(fileKind(name, ZEROS, 2 * MIB), "rewritten_in_place"));
  const streams = [
    "a.iso",
    "A.ISO",
    "export.ova",
    "a.dmg",
    "Thumbs.db",
    "db",
    "a.db.gz",
    "a.txt",
    "ibdata",
    "mbox",
    "",
    "a.sdf",
    "x/a.db/readme",
  ];
  for (const name of streams) await t.step(name, () => equal(fileKind(name, ZEROS, 2 * MIB), "stream"));
});

Deno.test("fileKind() goes by the first bytes where the name says nothing", async (t) => {
  const partition = [0x80, 1, 1, 0, 0x83, 254, 255, 255, ...u32(2048), ...u32(100_000)];
  const mbr = { 446: partition, 510: [0x55, 0xaa] };
  const ext = { 1024: u32(1000), 1028: u32(4000), 1048: u32(2), 1080: [0x53, 0xef], 1100: u32(1) };
  const page = { 10: [4, 0, 40, 0, 0x80, 0x1f, 0, 0x20, 4, 0x20] };
  const postgres = { ...page, [8192 + 10]: page[10] };
  const innoDb = { 4: [0, 0, 0, 0], 24: [0, 8], 34: [0, 0, 0, 7], 38: [0, 0, 0, 7], 46: [0, 0, 2, 0] };
  const rewritten: Record<string, Uint8Array> = {
    "SQLite": head({ 0: "SQLite format 3\0" }),
    "SQLite WAL": head({ 0: [0x37, 0x7f, 0x06, 0x82] }),
    "qcow2": head({ 0: "QFI\xfb" }),
    "QED": head({ 0: "QED\0" }),
    "VMDK": head({ 0: "KDMV" }),
    "VMDK of ESX": head({ 0: "COWD" }),
    "VDI": head({ 0: "<<< Oracle VM VirtualBox Disk Image >>>\n", 64: [0x7f, 0x10, 0xda, 0xbe] }),
    "VHDX": head({ 0: "vhdxfile" }),
    "VHD": head({ 0: "conectix" }),
    "Parallels": head({ 0: "WithoutFreeSpace" }),
    "LUKS": head({ 0: "LUKS\xba\xbe\0\x02" }),
    "LVM": head({ 512: "LABELONE" }),
    "GPT": head({ 512: "EFI PART" }),
    "MBR": head(mbr),
    "MBR in a head of 512 bytes": head(mbr, 512),
    "ext4": head(ext),
    "ext2, revision 0": head({ ...ext, 1100: u32(0) }),
    "XFS": head({ 0: "XFSB" }),
    "btrfs": head({ 65_600: "_BHRfS_M" }),
    "F2FS": head({ 1024: u32(0xf2f52010) }),
    "NTFS": head({ 3: "NTFS    " }),
    "exFAT": head({ 3: "EXFAT   " }),
    "FAT32": head({ 82: "FAT32   ", 510: [0x55, 0xaa] }),
    "FAT16": head({ 54: "FAT16   ", 510: [0x55, 0xaa] }),
    "BitLocker": head({ 3: "-FVE-FS-" }),
    "APFS": head({ 32: "NXSB" }),
    "HFS+": head({ 1024: "H+\0\x04" }),
    "swap": head({ 4086: "SWAPSPACE2" }),
    "LMDB": head({ 16: u32(0xbeefc0de) }),
    "Berkeley DB": head({ 12: u32(0x053162) }),
    "WiredTiger": head({ 0: u32(120_897), 4: [1, 0] }),
    "Access": head({ 0: "\0\x01\0\0Standard ACE DB\0" }),
    "ESE": head({ 4: u32(0x89abcdef) }),
    "Outlook": head({ 0: "!BDN" }),
    "InnoDB": head(innoDb),
    "PostgreSQL": head(postgres),
  };
  for (const [name, data] of Object.entries(rewritten)) {
    await t.step(name, () => equal(fileKind("16384", data, 2 * MIB), "rewritten_in_place"));
  }
  const streams: Record<string, Uint8Array> = {
    "nothing": new Uint8Array(0),
    "zeros": ZEROS,
    "ones": new Uint8Array(LIMITS.fileHeadBytes).fill(0xff),
    "text": head({ 0: "SQLite format 3 is a file format\n".repeat(2000) }),
    "a signature cut off": head({ 0: "SQLite format 3" }, 15),
    "the magic of ext alone": head({ 1080: [0x53, 0xef] }),
    "ext with an absurd block size": head({ ...ext, 1048: u32(40) }),
    "ext in a head that is too short": head(ext, 1500),
    "a boot signature alone": head({ 510: [0x55, 0xaa] }),
    "a boot sector with other bytes where partitions are": head({ ...mbr, 462: [0x41] }),
    "a kernel of Linux": head({ ...mbr, 514: "HdrS" }),
    "a disc image with a partition table": head({ ...mbr, 512: "EFI PART", 32_769: "CD001" }),
    "one page of PostgreSQL": head(page),
    "InnoDB with two ids": head({ ...innoDb, 38: [0, 0, 0, 8] }),
    "gzip": head({ 0: [0x1f, 0x8b, 8] }),
    "a program": head({ 0: "\x7fELF" }),
  };
  for (const [name, data] of Object.entries(streams)) {
    await t.step(name, () => equal(fileKind("16384", data, 2 * MIB), "stream"));
  }
  await t.step("PostgreSQL with half a page", () => equal(fileKind("16384", head(postgres), 2 * MIB + 1), "stream"));
});

Deno.test("fileKind() leaves small files alone", () => {
  const sqlite = head({ 0: "SQLite format 3\0" });
  equal(REWRITTEN_BYTES_MIN, MIB);
  equal(fileKind("a.db", sqlite, MIB - 1), "stream");
  equal(fileKind("a.db", sqlite, MIB), "rewritten_in_place");
  equal(fileKind("a.db", sqlite, 2 ** 45), "rewritten_in_place");
});

Deno.test("fileKind() takes random bytes for a stream", () => {
  const random = fc.uint8Array({ minLength: 4 * KIB, maxLength: 8 * KIB });
  fc.assert(fc.property(random, (data) => fileKind("x", data, 2 * MIB) === "stream"));
});

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "axiom-file-kind-" });
  try {
    await act(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function kindOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  const data = new Uint8Array(LIMITS.fileHeadBytes);
  const length = await file.read(data) ?? 0;
  return fileKind("unnamed", data.subarray(0, length), (await file.stat()).size);
}

Deno.test("fileKind() knows a real SQLite database and its journal", () =>
  inFolder(async (folder) => {
    const path = join(folder, "real");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x BLOB); INSERT INTO t VALUES (zeroblob(2000000));");
    equal(await kindOf(`${path}-wal`), "rewritten_in_place");
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.close();
    equal(await kindOf(path), "rewritten_in_place");
  }));

/** The first of `programs` that is there, run; false if there is none. */
async function run(programs: string[], args: string[]): Promise<boolean> {
  for (const program of programs) {
    try {
      const { success, stderr } = await new Deno.Command(program, { args, stdout: "null", stderr: "piped" }).output();
      equal(success, true, new TextDecoder().decode(stderr));
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}

Deno.test("fileKind() knows real file systems, where the programs that make them are installed", async (t) => {
  const makers: [name: string, programs: string[], args: string[], sizeBytes: number][] = [
    ["ext4", ["mkfs.ext4", "/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"], ["-q", "-F"], 4 * MIB],
    ["ext2", ["mkfs.ext2", "/usr/sbin/mkfs.ext2", "/sbin/mkfs.ext2"], ["-q", "-F", "-b", "1024"], 2 * MIB],
    ["swap", ["mkswap", "/usr/sbin/mkswap", "/sbin/mkswap"], ["-q"], 2 * MIB],
    ["FAT", ["mkfs.vfat", "/usr/sbin/mkfs.vfat", "/sbin/mkfs.vfat"], [], 8 * MIB],
    ["exFAT", ["mkfs.exfat", "/usr/sbin/mkfs.exfat", "/sbin/mkfs.exfat"], [], 8 * MIB],
    ["NTFS", ["mkntfs", "/usr/sbin/mkntfs", "/sbin/mkntfs"], ["-F", "-q"], 8 * MIB],
    ["XFS", ["mkfs.xfs", "/usr/sbin/mkfs.xfs", "/sbin/mkfs.xfs"], ["-q", "-f"], 320 * MIB],
  ];
  for (const [name, programs, args, sizeBytes] of makers) {
    await t.step(name, () =>
      inFolder(async (folder) => {
        const path = join(folder, "real");
        await Deno.writeFile(path, new Uint8Array(0));
        await Deno.truncate(path, sizeBytes);
        if (await run(programs, [...args, path])) equal(await kindOf(path), "rewritten_in_place");
      }));
  }
});
