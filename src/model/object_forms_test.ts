import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { objectForm, type ObjectFormType } from "./object_forms.ts";
import { indexKey, ledgerKey, markerKey, packKey, sessionKey, snapshotKey } from "./object_keys.ts";

const ID = "0123456789abcdef".repeat(2);
const HASH = ID + ID;

Deno.test("objectForm() knows every key that the program writes", () => {
  const cases: [string, ObjectFormType, string][] = [
    ["config/0000000001", "config", "0000000001"],
    [`keys/${ID}`, "slot", ID],
    ["keyring/0000000002", "keyring", "0000000002"],
    [packKey(HASH), "pack", HASH],
    [indexKey(HASH), "index", HASH],
    [snapshotKey(ID), "snapshot", ID],
    [markerKey(ID), "marker", ID],
    [sessionKey(ID), "session", ID],
    [sessionKey(ID, 12), "heartbeat", ID],
    [`condemned/${ID}`, "condemned", ID],
    [ledgerKey(3), "ledger", "0000000003"],
    [`codecs/${HASH}.wasm`, "codec", HASH],
    [`codecs/${HASH}.wasm.minisig`, "codec_signature", HASH],
    ["audit/laptop/0000000001", "audit", "laptop/0000000001"],
    ["damaged/index-abc.0011", "damaged", "index-abc.0011"],
  ];
  for (const [key, type, name] of cases) deepEqual(objectForm(key), { type, name }, key);
});

Deno.test("objectForm() calls everything else foreign", () => {
  const keys = ["readme", "config/1", `packs/00/${HASH}`, `packs/${HASH}`, `index/${ID}`, `index/${HASH}.old`]
    .concat(`snapshots/${ID}.ok2`, `sessions/${ID}.0`, `keys/${HASH}`, `codecs/${HASH}`, "audit/0000000001", "");
  for (const key of keys) equal(objectForm(key), undefined, key);
});
