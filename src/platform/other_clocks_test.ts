import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { devicesOfOtherClocks } from "./other_clocks.ts";

Deno.test("devicesOfOtherClocks() takes what has no disk of this machine, unless it is known to be here", async (t) => {
  const cases: [line: string, devices: string[]][] = [
    ["22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw", []],
    ["30 22 0:40 / /mnt/nas rw,relatime shared:2 - nfs4 nas:/export rw,vers=4.2", ["40"]],
    ["31 22 0:300 / /mnt/my\\040share rw - cifs //nas/x rw", [`${(1 << 20) + 44}`]],
    ["32 22 0:41 / /mnt/x rw - fuse.sshfs me@host: rw", ["41"]],
    ["33 22 0:42 / /mnt/c rw - 9p C:\\134 rw", ["42"]],
    ["34 22 0:43 / /new rw - newfs x rw", ["43"]],
    ["35 22 0:44 / /home rw - btrfs /dev/sda1 rw", []],
    ["36 22 0:45 / /tmp rw - tmpfs tmpfs rw", []],
    ["37 22 0:46 / / rw - overlay overlay rw", []],
    ["38 22 8:17 / /shared rw - ocfs2 /dev/sdb1 rw", ["2065"]],
    ["39 22 8:18 / /usb rw - fuseblk /dev/sdb2 rw", []],
    ["nonsense", []],
    ["", []],
  ];
  for (const [line, devices] of cases) await t.step(line, () => deepEqual([...devicesOfOtherClocks(line)], devices));
});
