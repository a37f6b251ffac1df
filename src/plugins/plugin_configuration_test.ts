import { deepStrictEqual as deepEqual, match, ok, throws } from "node:assert/strict";
import { AxiomError } from "../base/errors.ts";
import type { JsonSchema } from "./json_schema.ts";
import { completeConfiguration } from "./plugin_configuration.ts";

const SCHEMA: JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["url"],
  properties: {
    url: { type: "string", minLength: 1 },
    level: { type: "integer", minimum: 1, maximum: 12, default: 3 },
    retry: { type: "object", properties: { times: { type: "integer", default: 2 } } },
    constructor: { type: "boolean" } as JsonSchema,
  },
};
const complete = (given: Record<string, unknown>, configSchema = SCHEMA) =>
  JSON.parse(JSON.stringify(completeConfiguration({ pluginId: "storage_x", version: "1.0.0", configSchema }, given)));

Deno.test("completeConfiguration() fills in what is left out", () => {
  deepEqual(complete({ url: "x" }), { url: "x", level: 3 });
  deepEqual(complete({ url: "x", level: 9, retry: {} }), { url: "x", level: 9, retry: { times: 2 } });
});

Deno.test("completeConfiguration() refuses what the manifest does not describe", async (t) => {
  const cases: [name: string, given: Record<string, unknown>, message: RegExp][] = [
    ["nothing", {}, /^Cannot start storage_x 1.0.0: its options are wrong: url: is missing$/],
    ["an unknown one", { url: "x", lvel: 3 }, /: lvel: unknown key; did you mean level\?$/],
    ["a wrong type", { url: "x", level: "3" }, /: level: expected a whole number, found "3"$/],
    ["too much", { url: "x", level: 13 }, /: level: expected at most 12, found 13$/],
  ];
  for (const [name, given, message] of cases) {
    await t.step(name, () => {
      throws(() => complete(given), (error) => {
        ok(error instanceof AxiomError && error.kind === "config_invalid");
        match(error.message, message);
        return true;
      });
    });
  }
});
