import type { Bytes } from "../base/bytes.ts";
import type { Entry } from "../model/entry.ts";
import type { FileStat, FileSystem, Xattr } from "../platform/file_system.ts";
import type { BackupTally } from "./backup_tally.ts";
import { addXattrs, EntryMaker, readXattrs } from "./entry_of_stat.ts";
import type { SavedContent } from "./file_saver.ts";

/** Makes whole entries: what the scan saw, content, links and extended attributes. A promise only where one of those is stored as chunks. */
export class EntrySaver {
  readonly #maker: EntryMaker;

  constructor(
    readonly files: FileSystem,
    readonly putXattr: (value: Bytes) => Promise<string[]>,
    readonly tally: BackupTally,
  ) {
    this.#maker = new EntryMaker(files);
  }

  ofFile(path: string, name: string, stat: FileStat, saved: SavedContent): Entry | Promise<Entry> {
    const entry = this.#maker.entry(name, saved.stat ?? stat);
    if (saved.content !== undefined) entry.content = saved.content;
    else entry.size = "0";
    if (saved.chunker !== undefined) entry.chunker = saved.chunker;
    if (saved.changed || saved.xattrFault !== undefined) entry.changed = true;
    return this.#withStored(entry, path, saved.xattrs);
  }

  ofFolder(path: string, name: string, stat: FileStat): Entry | Promise<Entry> {
    return this.#readXattrs(this.#maker.entry(name, stat), path);
  }

  ofSpecial(path: string, name: string, stat: FileStat): Entry | Promise<Entry> {
    const entry = this.#maker.entry(name, stat);
    if (stat.type === "symlink") entry.target = this.files.readLink(path);
    return this.#readXattrs(entry, path);
  }

  #readXattrs(entry: Entry, path: string): Entry | Promise<Entry> {
    const { xattrs = [], xattrFault } = readXattrs(this.files, path);
    if (xattrFault !== undefined) {
      this.tally.report(path, xattrFault);
      entry.changed = true;
    }
    return this.#withStored(entry, path, xattrs);
  }

  #withStored(entry: Entry, path: string, xattrs: readonly Xattr[] = []): Entry | Promise<Entry> {
    if (xattrs.length === 0) return entry;
    return addXattrs(entry, path, xattrs, this.putXattr).then((fault) => {
      if (fault !== undefined) this.tally.report(path, fault);
      return entry;
    });
  }
}
