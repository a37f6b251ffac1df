import { deviceNumber } from "./stat_buffer.ts";

/** Without a disk of their own (major number 0), and yet on this machine. */
const OF_THIS_MACHINE = new Set(["aufs", "bcachefs", "btrfs", "ecryptfs", "overlay", "ramfs", "tmpfs", "zfs"]);

/** On a disk that several machines may share. */
const SHARED_DISK = new Set(["gfs2", "ocfs2"]);

/**
 * Devices, as in `FileStat`, of the mounted file systems whose times another machine's clock may give: by the text of
 * /proc/self/mountinfo, proc_pid_mountinfo(5).
 */
export function devicesOfOtherClocks(mountInfo: string): ReadonlySet<string> {
  const devices = new Set<string>();
  for (const line of mountInfo.split("\n")) {
    const [mount, source = ""] = line.split(" - ");
    const [, major, minor] = /^\d+ \d+ (\d+):(\d+) /.exec(mount) ?? [];
    const [kind] = source.split(" ");
    if (major === undefined || !(major === "0" ? !OF_THIS_MACHINE.has(kind) : SHARED_DISK.has(kind))) continue;
    devices.add(deviceNumber(Number(major), Number(minor)));
  }
  return devices;
}

/** Of this machine; none where they cannot be found. */
export function otherClocks(): ReadonlySet<string> {
  try {
    return Deno.build.os === "linux" ? devicesOfOtherClocks(Deno.readTextFileSync("/proc/self/mountinfo")) : new Set();
  } catch {
    return new Set();
  }
}
