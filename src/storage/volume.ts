import fs from "node:fs/promises"; // 2.4 has statfs only as a member of the default export

export interface Volume {
  /** Such as `ext4`, `nfs`, `cifs`, `fuse.sshfs`; undefined where unknown. */
  kind?: string;
  freeBytes: number;
}

/** `f_type` of statfs(2), from linux/magic.h and the file systems' own sources. */
const LINUX_KINDS: Readonly<Record<number, string>> = {
  0x6969: "nfs",
  0xff534d42: "cifs",
  0xfe534d42: "smb3",
  0x517b: "smbfs",
  0x65735546: "fuse",
  0x01021994: "tmpfs",
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0xca451a4e: "bcachefs",
  0x2fc12fc1: "zfs",
  0xf2f52010: "f2fs",
  0x4d44: "vfat",
  0x2011bab0: "exfat",
  0x5346544e: "ntfs",
  0x7366746e: "ntfs3",
  0x794c7630: "overlay",
  0x01021997: "9p",
  0x00c36400: "ceph",
  0x5346414f: "afs",
};

interface Staleness {
  ms: number;
  /** Where the number stands. */
  source: string;
}

const NFS: Staleness = { ms: 60_000, source: "nfs(5): acdirmax, 60 s" };
const SMB: Staleness = { ms: 10_000, source: "Windows SMB client: DirectoryCacheLifetime, 10 s; mount.cifs(8): 1 s" };
const UNKNOWN_FUSE: Staleness = { ms: 60_000, source: "a FUSE file system of unknown kind, taken for a remote one" };
const LOCAL: Staleness = { ms: 0, source: "no cache that delays listings" };

/** For how long a client of such a file system may be shown an old listing, by the defaults of its caches. */
const STALENESS: Readonly<Record<string, Staleness>> = {
  nfs: NFS,
  nfs4: NFS,
  cifs: SMB,
  smb3: SMB,
  smbfs: SMB,
  fuse: UNKNOWN_FUSE,
  "fuse.sshfs": { ms: 20_000, source: "sshfs(1): dcache_timeout, 20 s" },
  "fuse.rclone": { ms: 300_000, source: "rclone mount: --dir-cache-time, 5 min" },
};

const LOCAL_FUSE = new Set(["bindfs", "cryfs", "encfs", "exfat", "gocryptfs", "mergerfs", "ntfs-3g", "unionfs"]);

export function stalenessOf(kind: string | undefined): Staleness {
  if (kind === undefined) return { ms: 0, source: "an unknown kind of file system, taken for a local one" };
  const known = STALENESS[kind];
  if (known) return known;
  if (kind.startsWith("fuse.") && !LOCAL_FUSE.has(kind.slice("fuse.".length))) return UNKNOWN_FUSE;
  return LOCAL;
}

export interface Mount {
  kind: string;
  /** Where it is mounted. */
  point: string;
  /** What is mounted there, as whoever mounted it says. */
  source: string;
}

/**
 * The mount that holds `realPath`, by the text of /proc/self/mountinfo: proc_pid_mountinfo(5). Of mounts over each other the
 * last one counts.
 */
export function mountOf(mountInfo: string, realPath: string): Mount | undefined {
  let found: Mount | undefined;
  for (const line of mountInfo.split("\n")) {
    const [mount, device] = line.split(" - ");
    const point = plainPath(mount.split(" ")[4] ?? "");
    if (!device || point === "" || point.length < (found?.point.length ?? 0)) continue;
    if (realPath === point || realPath.startsWith(point.endsWith("/") ? point : `${point}/`)) {
      const [kind, source = ""] = device.split(" ");
      found = { kind, point, source: plainPath(source) };
    }
  }
  return found;
}

/** Spaces and the like stand there as octal numbers. */
function plainPath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
}

/** By statfs(2); undefined without the permission `sys` for `statfs`. */
export async function fileSystemVolume(path: string): Promise<Volume | undefined> {
  try {
    const { type, bsize, bavail } = await fs.statfs(path);
    return { kind: await kindOf(path, type, FUSE_DEPTH_MAX), freeBytes: bsize * bavail };
  } catch {
    return undefined;
  }
}

async function kindOf(path: string, type: number, depth: number): Promise<string | undefined> {
  if (Deno.build.os === "windows") return path.startsWith("\\\\") ? "smbfs" : undefined;
  if (Deno.build.os !== "linux") return undefined;
  const kind = LINUX_KINDS[type >>> 0];
  if (kind !== "fuse") return kind;
  try {
    const mount = mountOf(await Deno.readTextFile("/proc/self/mountinfo"), await Deno.realPath(path));
    if (mount?.kind !== "fuse" || depth === 0) return mount?.kind ?? kind;
    return await kindBehind(mount, depth) ?? kind;
  } catch {
    return kind;
  }
}

/** FUSE file systems may show each other, in a circle even. */
const FUSE_DEPTH_MAX = 4;

/**
 * What a FUSE file system that does not name itself shows, where that is beyond doubt: the very folder that it says (bindfs),
 * whose kind it then has, or a file that is a disk with a file system (ntfs-3g), which nobody else can have mounted.
 */
async function kindBehind({ point, source }: Mount, depth: number): Promise<string | undefined> {
  if (!source.startsWith("/")) return undefined;
  const [here, there] = [await Deno.stat(point), await Deno.stat(source)];
  if (there.isFile) {
    const { blocks, bsize } = await fs.statfs(point);
    return blocks * bsize <= there.size ? "fuseblk" : undefined;
  }
  const isSame = there.isDirectory && there.dev !== here.dev && there.ino === here.ino &&
    there.mtime?.getTime() === here.mtime?.getTime();
  return isSame ? await kindOf(source, (await fs.statfs(source)).type, depth - 1) : undefined;
}
