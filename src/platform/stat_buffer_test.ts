import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { viewOf } from "../base/bytes.ts";
import { deviceMajor, deviceMinor, deviceNumber, StatBuffer } from "./stat_buffer.ts";

interface Fields {
  links: number;
  mode: number;
  inode: bigint;
  size: bigint;
  blocks: bigint;
  mtime: [seconds: bigint, nanoseconds: number];
  ctime: [seconds: bigint, nanoseconds: number];
  rdev: [major: number, minor: number];
  dev: [major: number, minor: number];
}

/** As `linux/stat.h` lays it out, by byte offsets. */
function fill(buffer: StatBuffer, fields: Fields): void {
  const view = viewOf(buffer.bytes);
  view.setUint32(16, fields.links, true);
  view.setUint32(20, 4_000_000_001, true);
  view.setUint32(24, 4_000_000_002, true);
  view.setUint16(28, fields.mode, true);
  view.setUint16(30, 0xffff, true);
  view.setBigUint64(32, fields.inode, true);
  view.setBigUint64(40, fields.size, true);
  view.setBigUint64(48, fields.blocks, true);
  for (const [at, [seconds, nanoseconds]] of [[96, fields.ctime], [112, fields.mtime]] as const) {
    view.setBigInt64(at, seconds, true);
    view.setUint32(at + 8, nanoseconds, true);
  }
  [...fields.rdev, ...fields.dev].forEach((number, i) => view.setUint32(128 + 4 * i, number, true));
}

const time = fc.tuple(
  fc.oneof(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.constantFrom(-(2n ** 32n), -(2n ** 32n) - 1n, -1n, 0n, 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n),
  ),
  fc.integer({ min: 0, max: 999_999_999 }),
);
const word = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.constantFrom(2n ** 64n - 1n, 2n ** 53n, 2n ** 53n - 1n, 2n ** 32n),
);
const device = fc.tuple(fc.nat(0xfff), fc.nat(0xfffff));
const fields = fc.record({
  links: fc.nat(0xffffffff),
  mode: fc.constantFrom(0o100644, 0o104755, 0o020600, 0o060660),
  inode: word,
  size: fc.bigInt(0n, 2n ** 53n - 1n),
  blocks: fc.bigInt(0n, 2n ** 44n - 1n),
  mtime: time,
  ctime: time,
  rdev: device,
  dev: device,
});

Deno.test("StatBuffer.decode() is exact for every 64-bit inode and time", () => {
  const buffer = new StatBuffer();
  const ns = ([seconds, nanoseconds]: [bigint, number]) => String(seconds * 1_000_000_000n + BigInt(nanoseconds));
  fc.assert(fc.property(fields, (made) => {
    fill(buffer, made);
    const type = { 0o100: "file", 0o104: "file", 0o020: "chardev", 0o060: "blockdev" }[made.mode >> 9];
    const isDevice = type !== "file";
    deepEqual(buffer.decode(), {
      type,
      mode: made.mode & 0o7777,
      uid: 4_000_000_001,
      gid: 4_000_000_002,
      sizeBytes: Number(made.size),
      mtimeNs: ns(made.mtime),
      ctimeNs: ns(made.ctime),
      inode: String(made.inode),
      device: deviceNumber(...made.dev),
      links: made.links,
      allocatedBytes: Number(made.blocks) * 512,
      deviceMajor: isDevice ? made.rdev[0] : 0,
      deviceMinor: isDevice ? made.rdev[1] : 0,
    });
  }));
});

Deno.test("StatBuffer.decode() knows every type and refuses others", () => {
  const cases = { 1: "fifo", 2: "chardev", 4: "dir", 6: "blockdev", 8: "file", 10: "symlink", 12: "socket" };
  const buffer = new StatBuffer();
  for (let bits = 0; bits < 16; bits++) {
    buffer.bytes[28] = 0;
    buffer.bytes[29] = bits << 4;
    equal(buffer.decode()?.type, Object.entries(cases).find(([known]) => Number(known) === bits)?.[1], String(bits));
  }
});

Deno.test("deviceNumber() is the C library's makedev()", () => {
  const cases = [[0, 0, "0"], [8, 1, "2049"], [254, 0, "65024"], [1, 256, "1048832"], [
    4095,
    1048575,
    "4294967295",
  ]] as const;
  for (const [major, minor, number] of cases) {
    equal(deviceNumber(major, minor), number);
    deepEqual([deviceMajor(Number(number)), deviceMinor(Number(number))], [major, minor]);
  }
  equal(deviceNumber(0xfffff, 0xffffff), String(0xff000n << 32n | 0xfff00n | 0xffn | 0xffff00n << 12n));
});
