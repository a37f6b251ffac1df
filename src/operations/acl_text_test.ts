import { strictEqual as equal } from "node:assert/strict";
import { fromHex } from "../base/bytes.ts";
import { aclText } from "./acl_text.ts";

const CASES: [name: string, hex: string, text: string | undefined][] = [
  ["no entries", "02000000", ""],
  [
    "every tag",
    "02000000" + "01000700ffffffff" + "02000500e8030000" + "04000400ffffffff" + "08000300ffffff7f" +
    "10000700ffffffff" + "20000000ffffffff",
    "user::rwx,user:1000:r-x,group::r--,group:2147483647:-wx,mask::rwx,other::---",
  ],
  ["another version", "03000000", undefined],
  ["half an entry", "0200000001000700", undefined],
  ["an unknown tag", "0200000003000700ffffffff", undefined],
  ["nothing", "", undefined],
];

Deno.test("an ACL of an extended attribute as text", async (t) => {
  for (const [name, hex, text] of CASES) await t.step(name, () => equal(aclText(fromHex(hex)), text));
});
