/**
 * Lists of what to save: `--files-from` (text with comments and wildcards) and `--files-from-raw` (names ended by NUL).
 * What a list names and the file system lacks is reported, never passed over: a backup without it would look complete.
 */
import { isAbsolute, join } from "node:path";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeName, displayName, sortNames } from "../base/names.ts";
import { patternFault } from "../base/patterns.ts";
import { type FileSystem, SystemError } from "../platform/file_system.ts";
import { nameMatcher } from "../stages/name_table.ts";
import { textLines } from "../stages/pattern_list.ts";

export interface ListedSource {
  readonly path: string;
  /** True where `*`, `?` and brackets stand for what exists. */
  readonly wildcards: boolean;
  /** For messages: `list.txt:3`, or `list.txt, path 3`. */
  readonly origin: string;
}

function refuse(file: string, why: string, hint: string): AxiomError {
  return new AxiomError("usage", `Cannot read the paths of ${file}: ${why}`, { hint });
}

function checkSize(data: Uint8Array, file: string): void {
  if (data.length <= LIMITS.sourceListBytesMax) return;
  throw refuse(
    file,
    `it has ${data.length} bytes, at most ${LIMITS.sourceListBytesMax}`,
    "Name folders instead of each file in them",
  );
}

/**
 * One path on each line, without the white space around it. Blank lines and lines that begin with `#` count for nothing.
 * `*`, `?`, `[a-z]` and `[!a-z]` stand for names as in a shell, but also for hidden ones; a backslash makes the next
 * character an ordinary one. Throws `usage` with the number of the line.
 *
 * @param file For messages; `-` is stdin
 */
export function parseSourceList(data: Uint8Array, file: string): ListedSource[] {
  checkSize(data, file);
  const sources: ListedSource[] = [];
  for (const { text, line } of textLines(data, nameOf(file), "paths")) {
    const path = text.trim();
    if (path === "" || path.startsWith("#")) continue;
    const origin = `${nameOf(file)}:${line}`;
    const wildcards = /[*?[\\]/.test(path);
    const fault = wildcards
      ? path.split("/").map((name) => name === "" ? undefined : nameFault(name)).find(Boolean)
      : undefined;
    if (fault !== undefined) {
      throw refuse(
        origin,
        `"${displayName(path)}": ${fault}`,
        "Put a backslash before characters that stand for themselves",
      );
    }
    sources.push({ path, wildcards, origin });
  }
  return sources;
}

/** `.` and `..` are names here, and so are spaces. */
function nameFault(name: string): string | undefined {
  return name === "." || name === ".." || name.trim() === "" ? undefined : patternFault(name.replace(/^!/, "\\!"));
}

/** Paths of any bytes, each ended by a NUL, the last one too, so that a list which was cut off is not taken for whole. */
export function parseSourceListRaw(data: Uint8Array, file: string): ListedSource[] {
  checkSize(data, file);
  const name = nameOf(file);
  if (data.length > 0 && data[data.length - 1] !== 0) {
    const why = data.includes(0)
      ? "the last path does not end in a NUL byte; the list may be cut off"
      : "it has no NUL byte";
    throw refuse(name, why, "End every path with NUL as `find -print0` does, or use --files-from for lines of text");
  }
  const sources: ListedSource[] = [];
  for (let start = 0; start < data.length;) {
    const end = data.indexOf(0, start);
    const origin = `${name}, path ${sources.length + 1}`;
    if (end === start) throw refuse(origin, "it is empty", "Remove the second of two NUL bytes");
    sources.push({ path: decodeName(data.subarray(start, end)), wildcards: false, origin });
    start = end + 1;
  }
  return sources;
}

function nameOf(file: string): string {
  return file === "-" ? "stdin" : displayName(file);
}

export interface ResolvedSources {
  /** Absolute, in the order of the lists, each once. */
  readonly paths: string[];
  /** `source_missing` for what names nothing, `source_unreadable` for a folder in which wildcards could not be looked for. */
  readonly faults: AxiomError[];
}

/**
 * Puts what exists in place of wildcards. A path that exists although it holds such characters is meant as well. What
 * exists but cannot be looked at is kept, so that the backup reports it.
 *
 * @param folder Absolute; where relative paths start
 */
export function resolveSources(
  sources: readonly ListedSource[],
  folder: string,
  files: Pick<FileSystem, "lstat" | "readNames">,
): ResolvedSources {
  const paths = new Set<string>();
  const faults: AxiomError[] = [];
  for (const { path, wildcards, origin } of sources) {
    const whole = absolute(path, folder);
    const found = exists(whole, files, !wildcards) ? [whole] : [];
    const unreadable: AxiomError[] = [];
    if (wildcards) {
      const report = (above: string, { code }: SystemError) => {
        const message = `Cannot look for ${displayName(path)} of ${origin} in ${displayName(above)}: ${code}`;
        unreadable.push(
          new AxiomError("source_unreadable", message, { hint: "Run as a user who may list this folder" }),
        );
      };
      found.push(...expand(path, folder, files, report));
    }
    for (const each of found) paths.add(each);
    faults.push(...unreadable);
    if (found.length > 0 || unreadable.length > 0) continue;
    const why = wildcards ? "nothing matches it" : "there is no such file or folder";
    faults.push(
      new AxiomError("source_missing", `Cannot save ${displayName(path)} of ${origin}: ${why}`, {
        hint: "Correct the list, or remove the line",
      }),
    );
  }
  return { paths: [...paths], faults };
}

/** Normalized, without a `/` at the end; nothing of it is looked at. */
export function absolute(path: string, folder: string): string {
  const joined = isAbsolute(path) ? join(path) : join(folder, path);
  return joined.length > 1 ? joined.replace(/\/+$/, "") : joined;
}

const NOT_THERE: readonly string[] = ["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG"];

/** @param unknown The answer where it cannot be found out */
function exists(path: string, files: Pick<FileSystem, "lstat">, unknown: boolean): boolean {
  try {
    files.lstat(path);
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return unknown && !NOT_THERE.includes(error.code);
  }
}

function expand(
  pattern: string,
  folder: string,
  files: Pick<FileSystem, "lstat" | "readNames">,
  report: (folder: string, error: SystemError) => void,
): string[] {
  /** What is no folder holds nothing that could match. */
  const namesIn = (above: string): string[] => {
    try {
      return sortNames(files.readNames(above));
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      if (!NOT_THERE.includes(error.code)) report(above, error);
      return [];
    }
  };
  let found = [isAbsolute(pattern) ? "/" : folder];
  for (const name of pattern.split("/").filter((name) => name !== "")) {
    if (!/[*?[]/.test(name.replace(/\\./gs, ""))) {
      const plain = name.replace(/\\(.)/gs, "$1");
      found = found.map((above) => join(above, plain)).filter((path) => exists(path, files, true));
      continue;
    }
    const matches = nameMatcher(name);
    found = found.flatMap((above) => namesIn(above).filter(matches).map((each) => join(above, each)));
  }
  return found;
}
