import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { utf8 } from "../src/base/bytes.ts";
import { withPlugin } from "./opened.ts";

/** A Wednesday. */
const NOW = "2026-07-15T10:00:00Z";
const at = (time: string, mode: string) => ({ id: `${mode} ${time}`, time_ms: Date.parse(time), mode, parent: null });

const CASES: { name: string; configuration?: Record<string, string>; snapshots: object[]; decision: object }[] = [
  { name: "nothing yet", snapshots: [], decision: { mode: "full", parent: null } },
  {
    name: "a full one since Monday",
    snapshots: [at("2026-07-14T00:00:00Z", "incremental"), at("2026-07-13T00:00:00Z", "full")],
    decision: { mode: "incremental", parent: "incremental 2026-07-14T00:00:00Z" },
  },
  {
    name: "the last full one on Sunday",
    snapshots: [at("2026-07-14T00:00:00Z", "incremental"), at("2026-07-12T23:59:59Z", "full")],
    decision: { mode: "full", parent: null },
  },
  {
    name: "differential ones between",
    configuration: { between: "differential" },
    snapshots: [at("2026-07-14T00:00:00Z", "differential"), at("2026-07-13T00:00:00Z", "full")],
    decision: { mode: "differential", parent: "full 2026-07-13T00:00:00Z" },
  },
  {
    name: "a full one on the first of the month",
    configuration: { full_each: "month" },
    snapshots: [at("2026-07-01T00:00:00Z", "full")],
    decision: { mode: "incremental", parent: "full 2026-07-01T00:00:00Z" },
  },
  {
    name: "a full one in the month before",
    configuration: { full_each: "month" },
    snapshots: [at("2026-06-30T23:00:00Z", "full")],
    decision: { mode: "full", parent: null },
  },
  {
    name: "a full one in this year",
    configuration: { full_each: "year" },
    snapshots: [at("2026-01-01T00:00:00Z", "full")],
    decision: { mode: "incremental", parent: "full 2026-01-01T00:00:00Z" },
  },
  {
    name: "a full one yesterday, and one is wanted each day",
    configuration: { full_each: "day" },
    snapshots: [at("2026-07-14T23:00:00Z", "full")],
    decision: { mode: "full", parent: null },
  },
];

Deno.test("strategy_calendar makes the first backup of each part of the calendar a full one", async (t) => {
  for (const { name, configuration = {}, snapshots, decision } of CASES) {
    await t.step(name, () =>
      withPlugin("strategy_calendar", { configuration }, async ({ pool }) => {
        const input = utf8(JSON.stringify(snapshots)), parameters = { now_ms: Date.parse(NOW) };
        const { result } = await pool.call({ verb: "execute", operation: "plan", parameters, input });
        deepEqual(JSON.parse(result!), decision);
      }));
  }
});
