import { DedupTable } from "./dedup_table.ts";
import type { StressJob } from "./dedup_table_test.ts";

const scope = self as unknown as {
  postMessage(message: "done"): void;
  onmessage: ((event: MessageEvent<StressJob>) => void) | null;
};

/** Claims every id of every round, together with the other workers, and counts its successes where all can see them. */
scope.onmessage = (event) => {
  const { rounds, barrier, workers, seed } = event.data;
  const arrived = new Int32Array(barrier);
  rounds.forEach(({ share, ids, wins }, round) => {
    const table = DedupTable.attach(share);
    const id = new Uint8Array(ids);
    const won = new Int32Array(wins);
    // Odd workers go backwards from another place, the rest all claim the same ids at the same time.
    const start = seed % 2 === 0 ? 0 : Math.floor((won.length * seed) / workers);
    const step = seed % 2 === 0 ? 1 : won.length - 1;
    if (Atomics.add(arrived, round, 1) === workers - 1) Atomics.notify(arrived, round);
    for (let seen = 0; seen < workers;) {
      seen = Atomics.load(arrived, round);
      if (seen < workers) Atomics.wait(arrived, round, seen, 1);
    }
    for (let n = 0, i = start; n < won.length; n++, i = (i + step) % won.length) {
      if (table.claim(id, 16 * i)) Atomics.add(won, i, 1);
      if (!table.has(id, 16 * i)) throw new Error(`Claimed and not there: ${i} in round ${round}`);
    }
  });
  scope.postMessage("done");
};
