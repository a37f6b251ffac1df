import { displayName, exactName } from "../base/names.ts";
import { formatLocalTime } from "../base/times.ts";
import type { ListedEntry } from "../operations/listed_entry.ts";
import { jsonName, jsonTime } from "./json.ts";

export function entryJson(entry: ListedEntry): Record<string, unknown> {
  return {
    path: jsonName(entry.path),
    type: entry.type,
    size: entry.sizeBytes ?? null,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    user: entry.user === undefined ? null : jsonName(entry.user),
    group: entry.group === undefined ? null : jsonName(entry.group),
    mtime: jsonTime(entry.mtimeNs),
    ctime: jsonTime(entry.ctimeNs),
    inode: entry.inode,
    links: entry.links,
    target: entry.target === undefined ? null : jsonName(entry.target),
    device: entry.device ?? null,
    xattrs: entry.xattrs.map(({ name, value, chunks }) => ({
      name: jsonName(name),
      value: value === undefined ? null : { base64: value },
      ...(chunks === undefined ? {} : { chunks }),
    })),
  };
}

const TYPE_LETTERS: Record<ListedEntry["type"], string> = {
  file: "-",
  dir: "d",
  symlink: "l",
  fifo: "p",
  socket: "s",
  chardev: "c",
  blockdev: "b",
};

/** As in `ls -l`: `drwxr-xr-x`. */
export function modeText(type: ListedEntry["type"], mode: number): string {
  const bits = ["r", "w", "x", "r", "w", "x", "r", "w", "x"].map((letter, at) => mode & (0o400 >> at) ? letter : "-");
  const special: [bit: number, at: number, set: string, alone: string][] = [
    [0o4000, 2, "s", "S"],
    [0o2000, 5, "s", "S"],
    [0o1000, 8, "t", "T"],
  ];
  for (const [bit, at, set, alone] of special) if (mode & bit) bits[at] = bits[at] === "x" ? set : alone;
  return TYPE_LETTERS[type] + bits.join("");
}

/** One line as of `ls -l`, with the whole path. */
export function entryLine(entry: ListedEntry): string {
  const { user = String(entry.uid), group = String(entry.gid) } = entry;
  const size = entry.device?.join(", ") ?? String(entry.sizeBytes ?? 0);
  const target = entry.target === undefined ? "" : ` -> ${exactName(entry.target)}`;
  const owner = `${displayName(user).padEnd(8)} ${displayName(group).padEnd(8)}`;
  const time = formatLocalTime(entry.mtimeNs);
  return `${modeText(entry.type, entry.mode)} ${owner} ${size.padStart(12)} ${time} ${exactName(entry.path)}${target}`;
}
