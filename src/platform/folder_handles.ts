import { cString } from "./c_string.ts";
import { ERRNO } from "./errno.ts";
import { failure } from "./libc.ts";
import type { LinuxCalls } from "./linux_calls.ts";
import { FOLDER_HANDLE, O_NOFOLLOW, RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, SYS_OPENAT2 } from "./linux_constants.ts";
import { namesOfTargetPath } from "./target_path.ts";

/** Folders kept open below one root: a restore writes file after file into few folders at a time. */
const HANDLES_MAX = 64;
const EAGAIN_ATTEMPTS_MAX = 8;

/**
 * Descriptors of the folders below a root, found without following a symbolic link or leaving the root, the latest kept
 * open. They stand for the folders themselves, so whoever renames or removes one must {@linkcode forget} it.
 */
export class FolderHandles {
  readonly #open = new Map<string, number>();
  readonly #how = new BigUint64Array(new ArrayBuffer(24));
  readonly #howBytes = new Uint8Array(this.#how.buffer);
  #beneath: boolean;
  #root: number;

  /**
   * @param root Descriptor of the root; belongs to this object from now on
   * @param options.openat2 False asks for the way of kernels before 5.6: folder by folder
   */
  constructor(readonly calls: LinuxCalls, root: number, options: { openat2?: boolean } = {}) {
    this.#root = root;
    this.#beneath = options.openat2 ?? true;
    // struct open_how { u64 flags, mode, resolve }; with O_NOFOLLOW a link at the end would pass for no folder
    this.#how.set([BigInt(FOLDER_HANDLE & ~O_NOFOLLOW), 0n, BigInt(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)]);
  }

  /** -1 once closed, so that a late call fails and does not meet another file. */
  get root(): number {
    return this.#root;
  }

  /** The descriptor stays this object's, and open until 64 other folders were asked for. */
  get(folder: string, call: string): number {
    if (folder === "") return this.#root;
    let descriptor = this.#open.get(folder);
    if (descriptor === undefined) descriptor = this.#find(folder, call);
    else this.#open.delete(folder);
    this.#open.set(folder, descriptor);
    if (this.#open.size > HANDLES_MAX) this.#close(this.#open.keys().next().value!);
    return descriptor;
  }

  /** Drops a folder and all below it. */
  forget(folder: string): void {
    for (const path of [...this.#open.keys()]) {
      if (path === folder || path.startsWith(`${folder}/`)) this.#close(path);
    }
  }

  close(): void {
    for (const path of [...this.#open.keys()]) this.#close(path);
    if (this.#root >= 0) this.calls.close(this.#root);
    this.#root = -1;
  }

  #close(path: string): void {
    this.calls.close(this.#open.get(path)!);
    this.#open.delete(path);
  }

  #find(folder: string, call: string): number {
    const names = namesOfTargetPath(folder, call);
    if (!this.#beneath) return this.#walk(names, folder, call);
    const { libc } = this.calls;
    const path = cString(folder, call);
    let result: number = -ERRNO.EAGAIN;
    // EAGAIN: something was renamed while the kernel looked.
    for (let i = 0; i < EAGAIN_ATTEMPTS_MAX && result === -ERRNO.EAGAIN; i++) {
      result = libc.attempt(() => libc.symbols.openat2(SYS_OPENAT2, this.#root, path, this.#howBytes, 24n));
    }
    if (result === -ERRNO.ENOSYS || result === -ERRNO.EPERM) {
      this.#beneath = false;
      return this.#walk(names, folder, call);
    }
    if (result < 0) throw failure(result, call, folder);
    return result;
  }

  #walk(names: readonly string[], folder: string, call: string): number {
    const { libc } = this.calls;
    let descriptor = this.#root;
    for (const name of names) {
      const text = cString(name, call);
      const parent = descriptor;
      descriptor = libc.attempt(() => libc.symbols.openat(parent, text, FOLDER_HANDLE, 0));
      const isLink = descriptor === -ERRNO.ENOTDIR && this.#isLink(parent, name, folder);
      if (parent !== this.#root) this.calls.close(parent);
      if (descriptor < 0) throw failure(isLink ? -ERRNO.ELOOP : descriptor, call, folder);
    }
    return descriptor;
  }

  #isLink(parent: number, name: string, path: string): boolean {
    const stat = this.calls.tryStatAt(parent, name, path);
    return "type" in stat && stat.type === "symlink";
  }
}
