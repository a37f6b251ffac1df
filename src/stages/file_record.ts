import { toHex } from "../base/bytes.ts";
import { type AxiomError, reportError } from "../base/errors.ts";
import type { ChunkerRecord, ContentElement } from "../model/entry.ts";
import type { FileStat, Xattr } from "../platform/file_system.ts";
import type { SavedFile } from "./worker_protocol.ts";

/** What is learnt of one file while it is read. */
export class FileRecord {
  readonly #elements: ContentElement[] = [];
  #contentBytes = 0;
  #chunksNew = 0;
  #bytesNew = 0;
  /** Set where it is not what the scan saw. */
  stat: FileStat | undefined;
  changed = false;
  chunker: ChunkerRecord | undefined;
  xattrs: Xattr[] | undefined;
  xattrFault: AxiomError | undefined;
  fault: AxiomError | undefined;

  constructor(readonly job: number) {}

  chunk(id: Uint8Array, length: number, isNew: boolean): void {
    this.#elements.push(toHex(id));
    this.#contentBytes += length;
    if (isNew) {
      this.#chunksNew++;
      this.#bytesNew += length;
    }
  }

  hole(length: number): void {
    this.#elements.push({ hole: String(length) });
    this.#contentBytes += length;
  }

  /** Absent members are left out: there are many of these, and each is cloned. */
  result(): SavedFile {
    const saved: SavedFile = { job: this.job, elements: this.#elements, contentBytes: this.#contentBytes };
    if (this.stat !== undefined) saved.stat = this.stat;
    if (this.changed) saved.changed = true;
    if (this.#chunksNew > 0) {
      saved.chunksNew = this.#chunksNew;
      saved.bytesNew = this.#bytesNew;
    }
    if (this.chunker !== undefined && this.#elements.length > 1) saved.chunker = this.chunker;
    if (this.xattrs !== undefined && this.xattrs.length > 0) saved.xattrs = this.xattrs;
    if (this.xattrFault !== undefined) saved.xattrFault = reportError(this.xattrFault);
    if (this.fault !== undefined) saved.fault = reportError(this.fault);
    return saved;
  }
}
