import type { Bytes } from "../base/bytes.ts";
import { equalBytes } from "../base/bytes.ts";
import { compareNames } from "../base/names.ts";
import { cString, isCString, readCString } from "./c_string.ts";
import { ERRNO, errnoName } from "./errno.ts";
import type { MetadataLoss, Xattr } from "./file_system.ts";
import { failure, type Libc } from "./libc.ts";
import { isOfFile } from "./xattr_names.ts";

/** `XATTR_LIST_MAX` and `XATTR_SIZE_MAX` of Linux. */
const BUFFER_BYTES = 64 * 1024;
const SIZE = BigInt(BUFFER_BYTES);
const names = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
const value = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
const NOTHING = new Uint8Array(new ArrayBuffer(0));
const VANISHED: readonly number[] = [-ERRNO.ENODATA, -ERRNO.ENOTSUP];

function sizeOf({ length }: Bytes): bigint {
  return length === 0 ? 0n : SIZE;
}

/** The calls on one object; results as {@linkcode Libc.attempt} gives them. */
export interface XattrCalls {
  /** Without `into` only how long the list is, for which the kernel needs no buffer. */
  list(into?: Bytes): number;
  get(name: Bytes, into: Bytes): number;
  set(name: Bytes, value: Bytes): number;
  remove(name: Bytes): number;
}

/** Of what stands at `path`, of a symbolic link itself; for reading only. */
export function xattrsOfPath({ symbols }: Libc, path: string): Pick<XattrCalls, "list" | "get"> {
  return {
    list: (into = NOTHING) => symbols.llistxattr(cString(path, "llistxattr"), into, sizeOf(into)),
    get: (name, into) => symbols.lgetxattr(cString(path, "lgetxattr"), name, into, SIZE),
  };
}

export function xattrsOfDescriptor({ symbols }: Libc, descriptor: number): XattrCalls {
  return {
    list: (into = NOTHING) => symbols.flistxattr(descriptor, into, sizeOf(into)),
    get: (name, into) => symbols.fgetxattr(descriptor, name, into, SIZE),
    set: (name, data) => symbols.fsetxattr(descriptor, name, data, BigInt(data.length), 0),
    remove: (name) => symbols.fremovexattr(descriptor, name),
  };
}

/** Of what an `O_PATH` descriptor stands for, which the calls above refuse. */
export function xattrsOfHandle({ symbols }: Libc, handlePath: string): XattrCalls {
  const path = (call: string) => cString(handlePath, call);
  return {
    list: (into = NOTHING) => symbols.listxattr(path("listxattr"), into, sizeOf(into)),
    get: (name, into) => symbols.getxattr(path("getxattr"), name, into, SIZE),
    set: (name, data) => symbols.setxattr(path("setxattr"), name, data, BigInt(data.length), 0),
    remove: (name) => symbols.removexattr(path("removexattr"), name),
  };
}

/** Throws `SystemError`; a file system without extended attributes has none. */
export function readXattrs(libc: Libc, calls: Pick<XattrCalls, "list" | "get">, path: string): Xattr[] {
  const length = listed(libc, calls);
  if (length === 0 || length === -ERRNO.ENOTSUP) return [];
  if (length < 0) throw failure(length, "listxattr", path);
  const found: Xattr[] = [];
  for (const name of unpack(length)) {
    const size = libc.attempt(() => calls.get(cString(name, "getxattr", 1), value));
    if (size >= 0) found.push({ name, value: value.slice(0, size) });
    else if (!VANISHED.includes(size)) throw failure(size, `getxattr ${name}`, path);
  }
  return found.sort((a, b) => compareNames(a.name, b.name));
}

/** Length of the list in `names`; asks how long it is first, because a list of 64 KiB that turns out empty costs more. */
function listed(libc: Libc, calls: Pick<XattrCalls, "list">): number {
  const length = libc.attempt(() => calls.list());
  return length <= 0 ? length : libc.attempt(() => calls.list(names));
}

function unpack(length: number): string[] {
  const list: string[] = [];
  for (let from = 0; from < length;) {
    list.push(readCString(names, from));
    from = names.indexOf(0, from) + 1;
  }
  return list;
}

/** Makes `wanted` the only ones; returns those that could not be set or removed. */
export function replaceXattrs(libc: Libc, calls: XattrCalls, wanted: readonly Xattr[]): MetadataLoss[] {
  const losses: MetadataLoss[] = [];
  const lose = (detail: string, result: number) => losses.push({ what: "xattr", detail, code: errnoName(-result) });
  const length = listed(libc, calls);
  if (length < 0 && length !== -ERRNO.ENOTSUP) lose("the list of names", length);
  const present = length > 0 ? unpack(length) : [];
  for (const name of present) {
    if (!isOfFile(name) || wanted.some((xattr) => xattr.name === name)) continue;
    const result = libc.attempt(() => calls.remove(cString(name, "removexattr", 1)));
    if (result < 0 && !VANISHED.includes(result)) lose(name, result);
  }
  for (const xattr of wanted) {
    const result = isCString(xattr.name) ? set(libc, calls, xattr) : -ERRNO.EINVAL;
    if (result < 0) lose(xattr.name, result);
  }
  return losses;
}

function set(libc: Libc, calls: XattrCalls, xattr: Xattr): number {
  const name = cString(xattr.name, "setxattr", 1);
  const result = libc.attempt(() => calls.set(name, xattr.value));
  if (result >= 0) return result;
  const size = libc.attempt(() => calls.get(name, value));
  return size >= 0 && equalBytes(value.subarray(0, size), xattr.value) ? 0 : result;
}
