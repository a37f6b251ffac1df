import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { fromUtf8 } from "../../base/bytes.ts";
import { systemClock } from "../../base/clock.ts";
import { AxiomError } from "../../base/errors.ts";
import { deliver, withCourier } from "./courier_fixture.ts";
import { hostServices } from "./host_services.ts";
import type { RepositoryMetadata } from "./repo_service.ts";

const METADATA: RepositoryMetadata = {
  snapshots: () => Promise.resolve([{ id: "b" }, { id: "a" }]),
  async *entries(snapshot, path) {
    await Promise.resolve();
    if (snapshot !== "a") throw new AxiomError("snapshot_missing", `Cannot find ${snapshot}`);
    for (let i = 0; i < 30_000; i++) yield { name: `${path}${i}`, type: "file", length: i };
  },
};

const services = (metadata: RepositoryMetadata | undefined) =>
  hostServices({
    stateFolder: undefined,
    clock: systemClock,
    repository: () => metadata && Promise.resolve(metadata),
  });

Deno.test("a plugin reads snapshots and what a folder holds, a line for each", async () => {
  await withCourier({ name: "repo" }, services(METADATA), async (pool) => {
    const ask = async (request: object) => {
      const { class: answer, body } = await deliver(pool, request);
      return { answer, lines: fromUtf8(body).split("\n").slice(0, -1).map((line) => JSON.parse(line)) };
    };
    deepEqual(await ask({ op: "snapshots" }), { answer: 0, lines: [{ id: "b" }, { id: "a" }] });
    const { lines } = await ask({ op: "entries", snapshot: "a", path: "/" });
    deepEqual([lines.length, lines[29_999]], [30_000, { name: "/29999", type: "file", length: 29_999 }]);
    equal((await ask({ op: "entries", snapshot: "c" })).answer, 5);
    equal((await ask({ op: "content", snapshot: "a" })).answer, 1);
  });
  await withCourier({ name: "repo" }, services(undefined), async (pool) => {
    equal((await deliver(pool, { op: "snapshots" })).class, 5);
  });
});
