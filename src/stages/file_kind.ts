/**
 * Which files are rewritten in place: databases and disk images. One page that changed in such a file costs a whole
 * content-defined chunk, about 1 MiB, but only one block of a fixed length. Everything else is a stream, in which insertions
 * move what follows: there fixed blocks would find nothing again.
 */
import { MIB } from "../base/bytes.ts";
import { isSignedByMagic } from "./file_magic.ts";
import { NameTable } from "./name_table.ts";

export type FileKind = "rewritten_in_place" | "stream";

/**
 * Smaller files are streams: they are one or two chunks, so a change costs at most this much, while blocks would cost 64
 * entries of the index for it.
 */
export const REWRITTEN_BYTES_MIN = MIB;

/** In lower case, because Windows and DOS wrote names in capitals. */
const REWRITTEN_NAMES: readonly string[] = [
  // SQLite, with its journals, and what else calls itself a database
  "*.db *.db3 *.db-wal *.sdb *.s3db *.sl3 *.sqlite *.sqlite3 *.sqlite-wal *.sqlite3-wal *.sqlitedb *.gpkg *.mbtiles *.realm *.mdbx",
  // MySQL, MariaDB: InnoDB, MyISAM, Aria
  "*.ibd ibdata[0-9]* ib_logfile[0-9]* undo_[0-9]* *.ibu *.myd *.myi *.mad *.mai aria_log.*",
  // SQL Server, Oracle, dBase, Firebird, Access, Exchange and Windows, Outlook, Notes, WiredTiger
  "*.mdf *.ndf *.ldf *.dbf *.ora *.fdb *.gdb *.mdb *.accdb *.edb *.pst *.ost *.nsf *.wt",
  // Images of disks and memory
  "*.img *.raw *.vmdk *.vdi *.vhd *.vhdx *.avhd *.avhdx *.qcow *.qcow2 *.qed *.hdd *.hds *.vmem *.vhdset *.luks *.hc *.tc *.sparseimage",
].flatMap((line) => line.split(" "));

/** Written once, whatever their content: images of discs that begin with a partition table, and exports. */
const STREAM_NAMES: readonly string[] = ["*.iso", "*.ova", "*.dmg", "*.wim", "*.esd", "thumbs.db"];

const names = new NameTable();
for (const [number, pattern] of [...STREAM_NAMES, ...REWRITTEN_NAMES].entries()) names.add(pattern, number, true);

/**
 * What a file is by its name, and where the name says nothing by its first bytes.
 *
 * @param path Or the name alone
 * @param head The first bytes, up to `LIMITS.fileHeadBytes`; with fewer, fewer signatures are found
 */
export function fileKind(path: string, head: Uint8Array, sizeBytes: number): FileKind {
  if (sizeBytes < REWRITTEN_BYTES_MIN) return "stream";
  const number = names.find(path.slice(path.lastIndexOf("/") + 1), false);
  if (number !== undefined) return number < STREAM_NAMES.length ? "stream" : "rewritten_in_place";
  return isSignedByMagic(head, sizeBytes) ? "rewritten_in_place" : "stream";
}
