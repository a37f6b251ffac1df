import { deepStrictEqual as deepEqual, ok, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { encodeJson, type Json } from "../base/canonical_json.ts";
import { utf8 } from "../base/bytes.ts";
import { emptyRepository, opened } from "../../tests/faults/test_repository.ts";
import { flipBit, swapObjects } from "../../tests/faults/damage.ts";
import { memoryStore } from "../storage/memory.ts";
import { appendLedger, decodeLedgerRecord, type LedgerRecord, readLedger } from "./ledger.ts";

const by = { client: "c", host: "h", user: "u" };

function recordOf(id: string, replacedBy?: string): LedgerRecord {
  const removed = [{ id, ...(replacedBy === undefined ? {} : { replaced_by: replacedBy }) }];
  return { version: 1, reason: "tag", removed, by, time: "1" };
}

const ids = ["a", "b", "c", "d"].map((digit) => digit.repeat(32));

Deno.test("records are stored under the next free number, and read in order", async () => {
  const store = memoryStore();
  store.restore(await emptyRepository());
  const { sealer } = await opened(store);
  equal(await appendLedger(store, sealer, recordOf(ids[0], ids[1])), 1);
  const later = { ...recordOf(ids[1]), later: { kept: true } };
  equal(await appendLedger(store, sealer, later), 2);
  const both = await Promise.all([recordOf(ids[2]), recordOf(ids[3])].map((each) => appendLedger(store, sealer, each)));
  deepEqual(both.sort(), [3, 4]);
  const { records, damaged } = await readLedger(store, sealer);
  deepEqual(records.map(({ sequence }) => sequence), [1, 2, 3, 4]);
  deepEqual(records[0].record, recordOf(ids[0], ids[1]));
  deepEqual(records[1].record, later);
  deepEqual(damaged, []);
});

Deno.test("(27) a damaged or exchanged record is told of, and hides no other", async () => {
  const store = memoryStore();
  store.restore(await emptyRepository());
  const { sealer } = await opened(store);
  for (const id of ids) await appendLedger(store, sealer, recordOf(id));
  await swapObjects(store, "ledger/0000000001", "ledger/0000000002");
  await flipBit(store, "ledger/0000000003", 8000);
  const { records, damaged } = await readLedger(store, sealer);
  deepEqual(records.map(({ sequence, record }) => [sequence, record.removed[0].id]), [[4, ids[3]]]);
  deepEqual(damaged.map(({ key }) => key).sort(), [1, 2, 3].map((n) => `ledger/000000000${n}`));
  equal(await appendLedger(store, sealer, recordOf(ids[0])), 5);
});

Deno.test("a record that is not one is refused, when it is read and when it is written", async (t) => {
  const good = recordOf(ids[0], ids[1]) as unknown as { [key: string]: Json };
  const cases: { name: string; record: Json; kind?: string }[] = [
    { name: "no object", record: [] },
    { name: "null", record: null },
    { name: "no reason", record: { ...good, reason: undefined } },
    { name: "time that is no number", record: { ...good, time: "yesterday" } },
    { name: "nobody", record: { ...good, by: null } },
    { name: "half of who", record: { ...good, by: { client: "c", host: "h" } } },
    { name: "no list", record: { ...good, removed: {} } },
    { name: "an id that is none", record: { ...good, removed: [{ id: "../x" }] } },
    { name: "a replacement that is none", record: { ...good, removed: [{ id: ids[0], replaced_by: "x" }] } },
    { name: "a later version", record: { ...good, version: 2 }, kind: "repository_unsupported" },
  ];
  const store = memoryStore();
  store.restore(await emptyRepository());
  const { sealer } = await opened(store);
  for (const { name, record, kind = "data_damaged" } of cases) {
    await t.step(name, async () => {
      throws(() => decodeLedgerRecord(encodeJson(record), "ledger/1"), { kind });
      await rejects(appendLedger(store, sealer, record as unknown as LedgerRecord), { kind });
    });
  }
  throws(() => decodeLedgerRecord(utf8("{"), "ledger/1"), { kind: "data_damaged" });
  ok(![...store.snapshot().keys()].some((key) => key.startsWith("ledger/")));
});
