import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { storedSnapshot } from "../../tests/fixtures/memory_trees.ts";
import type { AxiomEvent } from "../base/events.ts";
import { faultCount, faultsBelow, warnOfFaults } from "./snapshot_faults.ts";

function withFaults(paths: string[], counted: number) {
  const stored = storedSnapshot({ faults: paths.map((path) => ({ path, reason: `Cannot read ${path}` })) });
  stored.snapshot.statistics.files_failed = counted;
  return stored;
}

Deno.test("a snapshot tells what it lacks, of all of it and of a part", async (t) => {
  const some = withFaults(["/home/a", "/home/ann", "/home/ann/x", ""], 4);
  const cases: { name: string; stored: typeof some; path?: string; below: string[]; warns?: string }[] = [
    { name: "complete", stored: withFaults([], 0), below: [] },
    { name: "all", stored: some, below: ["/home/a", "/home/ann", "/home/ann/x", ""], warns: "4 files or folders" },
    { name: "the root", stored: some, path: "/", below: ["/home/a", "/home/ann", "/home/ann/x", ""], warns: "4 files" },
    { name: "a folder", stored: some, path: "home/ann/", below: ["/home/ann", "/home/ann/x"], warns: "2 files" },
    { name: "one", stored: some, path: "/home/ann/x", below: ["/home/ann/x"], warns: "1 file or folder could" },
    { name: "a part without any", stored: some, path: "/etc", below: [] },
    { name: "more than are named", stored: withFaults(["/a"], 5000), path: "/b", below: [], warns: "5000 files" },
    { name: "what a repair added", stored: withFaults(["/a", "/b"], 0), below: ["/a", "/b"], warns: "2 files" },
  ];
  for (const { name, stored, path, below, warns } of cases) {
    await t.step(name, () => {
      deepEqual(faultsBelow(stored.snapshot, path).map((fault) => fault.path), below);
      const events: AxiomEvent[] = [];
      warnOfFaults(stored, path, (event) => void events.push(event));
      equal(events.length, warns === undefined ? 0 : 1);
      const [event] = events;
      if (event === undefined) return;
      ok(event.type === "warning" && event.code === "snapshot_incomplete" && event.message.includes(warns!));
      match(event.message, new RegExp(`ls --faults ${stored.id.slice(0, 8)}`));
    });
  }
  equal(faultCount(some.snapshot), 4);
});
