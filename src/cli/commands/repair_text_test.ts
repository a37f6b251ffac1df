import { strictEqual as equal } from "node:assert/strict";
import { repairDecoders } from "./repair_decoders.ts";
import { repairIndex } from "./repair_index.ts";
import { repairSnapshots } from "./repair_snapshots.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

function rendered(command: { render: Any }, summary: object): string {
  return command.render(summary, {});
}

Deno.test("repair index says the index first, then the packs, then what to do", () => {
  const index = {
    ...{ dryRun: false, packsRead: 2, packsAdded: 0, packsCorrected: 0, packsGone: 0, packsUnreadable: [] },
    ...{ indexesWritten: 0, indexesRemoved: 0, setAside: [], durationSeconds: 0 },
  };
  const packs = {
    ...{ dryRun: false, packsRead: 2, bytesRead: 9, chunksCopied: 4, bytesCopied: 9, durationSeconds: 0 },
    packs: [{ name: "ab", reason: "told already", chunksLost: 3, chunksWhole: 4, asideKey: "damaged/ab" }],
  };
  equal(
    rendered(repairIndex, { index, packs }),
    [
      "Read the tables of 2 packs in 0.0 s",
      "The index is right",
      "Damaged pack ab: 3 chunks lost, 4 whole; now damaged/ab",
      "Read 2 packs in full: 1 damaged pack, 4 chunks kept",
      "Run a backup of what is lost, which stores it again; `axiom check` says what that is",
    ].join("\n"),
  );
  equal(
    rendered(repairIndex, { index, packs: null }),
    "Read the tables of 2 packs in 0.0 s\nThe index is right: nothing to do",
  );
});

Deno.test("repair snapshots says what is back, what is lost and where that is now", () => {
  const repair = {
    ...{ snapshotId: "1".repeat(32), newSnapshotId: null, uncounted: true, forgotten: false },
    ...{ asideKeys: [], reason: null, dropped: [], droppedCount: 0 },
  };
  const summary = (repairs: object[]) =>
    rendered(repairSnapshots, {
      ...{ dryRun: false, snapshotsChecked: 1, repairs, documentsUnreached: 3, durationSeconds: 0 },
    }).split("\n")[0];
  equal(
    summary([{ ...repair, newSnapshotId: "2".repeat(32), forgotten: true }]),
    "11111111, now 22222222 in its place: brought back whole",
  );
  const reason = "Cannot open it";
  equal(summary([{ ...repair, reason }]), "11111111: nothing can be saved: Cannot open it; --forget sets it aside");
  equal(
    summary([{ ...repair, reason, forgotten: true, asideKeys: ["damaged/a", "damaged/b"] }]),
    "11111111: nothing can be saved: Cannot open it; what is left of it is now damaged/a and damaged/b",
  );
});

Deno.test("repair decoders does not say that all are there of packs that it could not read", () => {
  const summary = { dryRun: false, packsRead: 2, packsUnreadable: 0, decoders: 1, repaired: [] };
  equal(rendered(repairDecoders, summary), "2 packs name 1 decoder: all are there");
  equal(
    rendered(repairDecoders, { ...summary, packsUnreadable: 1 }),
    "2 packs name 1 decoder: all are there\nWhat 1 pack names could not be read: `axiom check` says why",
  );
});
