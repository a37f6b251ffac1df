/**
 * Reading in the folders that a person granted, and nowhere else: a path is looked up name by name from the granted folder,
 * and no symbolic link is followed on the way.
 */
import { type Bytes, utf8 } from "../../base/bytes.ts";
import type { Json } from "../../base/canonical_json.ts";
import { messageOf } from "../../base/errors.ts";
import {
  type FileStat,
  type FileSystem,
  type SourceFile,
  SystemError,
  type TargetTree,
} from "../../platform/file_system.ts";
import type { ErrorClass } from "../abi.ts";
import type { Capability } from "../capabilities.ts";
import { type CapabilityService, type ServiceAnswer, type ServiceBody, ServiceRefusal } from "../capability_service.ts";
import { linesBody } from "./lines_body.ts";

const CLASSES: Readonly<Record<string, ErrorClass>> = {
  ENOENT: "not_found",
  ENOTDIR: "not_found",
  EACCES: "auth",
  EPERM: "auth",
  ELOOP: "unsupported",
  EISDIR: "invalid_input",
  EINVAL: "invalid_input",
  ENXIO: "invalid_input",
};

const NOTHING = new Uint8Array(0);

export function filesService({ folders = [] }: Capability, files: FileSystem): CapabilityService {
  const trees = new Map<string, TargetTree>();
  const treeOf = (folder: string) => {
    const known = trees.get(folder) ?? files.openTarget(folder);
    trees.set(folder, known);
    return known;
  };
  return {
    bodyBytesMax: 0,
    answer(request): ServiceAnswer {
      const { op, path, offset = 0, length } = (request ?? {}) as Record<string, Json>;
      const place = typeof path === "string" ? placeOf(path, folders) : undefined;
      if (place === undefined) {
        throw new ServiceRefusal("invalid_input", "a request has a path, absolute and without . and ..");
      }
      try {
        const tree = treeOf(place.folder);
        if (op === "stat") return { response: json(statJson(demand(tree.lstat(place.below), place.below))) };
        if (op === "list") return { response: json({}), body: linesBody(listing(tree, place.below)) };
        if (op === "read" && isCount(offset) && (length === undefined || isCount(length))) {
          return contentOf(tree.openForReading(place.below), offset, length ?? Infinity);
        }
      } catch (error) {
        throw refusalOf(error);
      }
      throw new ServiceRefusal("invalid_input", "what is asked for is stat, list or read");
    },
    close() {
      for (const tree of trees.values()) tree.close();
    },
  };
}

/** The granted folder that `path` lies in, and the rest; undefined for what is no plain path. */
function placeOf(path: string, folders: readonly string[]): { folder: string; below: string } | undefined {
  const names = (text: string) =>
    text.split(/[/\\]/).filter((name, at, all) => name !== "" || (at > 0 && at < all.length - 1));
  const wanted = names(path);
  if (!/^([/\\]|[A-Za-z]:[/\\])/.test(path)) return undefined;
  if (wanted.some((name) => name === "" || name === "." || name === ".." || name.includes("\0"))) return undefined;
  for (const folder of folders) {
    const granted = names(folder);
    if (granted.every((name, at) => wanted[at] === name)) {
      return { folder, below: wanted.slice(granted.length).join("/") };
    }
  }
  throw new ServiceRefusal("capability_denied", `it asked for ${path.slice(0, 200)}, which lies in no granted folder`);
}

function demand(stat: FileStat | undefined, path: string): FileStat {
  if (stat !== undefined) return stat;
  throw new SystemError("ENOENT", "lstat", path);
}

function* listing(tree: TargetTree, folder: string): Generator<Json> {
  for (const name of tree.readNames(folder)) {
    const stat = tree.lstat(folder === "" ? name : `${folder}/${name}`);
    if (stat !== undefined) yield { name, ...statJson(stat) };
  }
}

function statJson({ type, sizeBytes, mtimeNs, mode }: FileStat): { [key: string]: Json } {
  return { type, length: type === "file" ? sizeBytes : 0, modified_ns: mtimeNs, mode };
}

function contentOf(file: SourceFile, offset: number, length: number): ServiceAnswer {
  let at = offset, left = length, isOpen = true;
  const close = () => {
    if (isOpen) file.close();
    isOpen = false;
  };
  const body: ServiceBody = {
    read(bytesMax) {
      if (!isOpen) return NOTHING;
      const part = new Uint8Array(Math.min(bytesMax, left));
      const count = part.length === 0 ? 0 : readPart(file, part, at);
      at += count;
      left -= count;
      if (count === 0) close();
      return part.subarray(0, count);
    },
    cancel: close,
  };
  return { response: json(statJson(file.stat())), body };
}

function readPart(file: SourceFile, part: Bytes, at: number): number {
  try {
    return file.read(part, at);
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof SystemError)) return error;
  return new ServiceRefusal(CLASSES[error.code] ?? "permanent", messageOf(error));
}

function isCount(value: Json): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function json(value: Json): Bytes {
  return utf8(JSON.stringify(value));
}
