import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { fileSystemVolume, mountOf, stalenessOf } from "./volume.ts";

const MOUNTS = `22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /mnt/nas rw,relatime shared:2 - nfs4 nas:/export rw,vers=4.2
31 22 0:41 / /mnt/my\\040disk rw,nosuid - fuse.sshfs me@host: rw
32 22 0:42 / /mnt/nas/inner rw - fuseblk /dev/sdb1 rw
33 22 0:43 / /mnt/over rw - ext4 /dev/sdc1 rw
34 22 0:44 / /mnt/over rw - fuse.rclone remote: rw
`;

Deno.test("mountOf() finds the innermost and last mount of a path", async (t) => {
  const cases = [
    ["/", "ext4"],
    ["/mnt", "ext4"],
    ["/mnt/nas", "nfs4"],
    ["/mnt/nas/backup", "nfs4"],
    ["/mnt/nasty", "ext4"],
    ["/mnt/my disk/x", "fuse.sshfs"],
    ["/mnt/nas/inner/x", "fuseblk"],
    ["/mnt/over/x", "fuse.rclone"],
  ];
  for (const [path, kind] of cases) await t.step(path, () => equal(mountOf(MOUNTS, path)?.kind, kind));
});

Deno.test("mountOf() tells where a path is mounted, and from what", () => {
  deepEqual(mountOf(MOUNTS, "/mnt/my disk/x"), { kind: "fuse.sshfs", point: "/mnt/my disk", source: "me@host:" });
});

Deno.test("mountOf() makes nothing of what is no mount table", () => {
  for (const text of ["", "\n", "nonsense", "1 2 3 - ext4"]) equal(mountOf(text, "/srv"), undefined);
});

Deno.test("stalenessOf() takes only those for remote that are, or may be", () => {
  for (const kind of ["ext4", "tmpfs", "fuseblk", "fuse.mergerfs", "9p", undefined]) {
    equal(stalenessOf(kind).ms, 0, kind);
  }
  for (const kind of ["nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse", "fuse.sshfs", "fuse.rclone", "fuse.new"]) {
    ok(stalenessOf(kind).ms > 0, kind);
  }
  equal(stalenessOf("fuse.s3fs").ms, 60_000);
});

Deno.test("fileSystemVolume() tells the kind and the space of this machine's disks", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const volume = await fileSystemVolume("/proc/self");
  ok(volume);
  equal(volume.freeBytes, 0);
  const here = await fileSystemVolume(".");
  ok(here && here.freeBytes > 0);
  if (await Deno.stat("/dev/shm").then(() => true, () => false)) {
    equal((await fileSystemVolume("/dev/shm"))?.kind, "tmpfs");
  }
  equal(await fileSystemVolume("/none"), undefined);
});
