import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { configJsonSchema } from "./json_schema.ts";
import { exampleYaml } from "./example.ts";
import { loadConfig } from "./load.ts";
import { OPTION_BY_PATH } from "./schema.ts";

const EXAMPLE = new URL("../../config/axiom.example.yaml", import.meta.url);

Deno.test("config/axiom.example.yaml sets every option to its default", async () => {
  const text = await Deno.readTextFile(EXAMPLE);
  equal(text, exampleYaml(), "write exampleYaml() to config/axiom.example.yaml again");
  const none = { folder: "/w", env: {} };
  const example = await loadConfig({
    ...none,
    configFile: "e.yaml",
    readFile: () => Promise.resolve(new TextEncoder().encode(text)),
  });
  const defaults = await loadConfig({ ...none, readFile: () => Promise.resolve(undefined) });
  deepEqual(example.config, defaults.config);
  for (const path of OPTION_BY_PATH.keys()) ok(example.origin(path).startsWith("e.yaml:"), `${path} is missing`);
  for (const line of text.split("\n")) ok(line.length <= 140, line);
});

Deno.test("configJsonSchema() describes every option, and nothing else", () => {
  const schema = JSON.parse(JSON.stringify(configJsonSchema()));
  const found: string[] = [];
  for (const [name, section] of Object.entries<Record<string, never>>(schema.properties)) {
    if (name === "profiles") continue;
    const body = (section.anyOf?.[0] ?? section) as {
      properties: Record<string, object>;
      additionalProperties: boolean;
    };
    equal(body.additionalProperties, false);
    for (const [key, option] of Object.entries(body.properties)) {
      found.push(`${name}.${key}`);
      ok("description" in option && "default" in option, key);
    }
  }
  deepEqual(found, [...OPTION_BY_PATH.keys()]);
  deepEqual(
    Object.keys(schema.properties.profiles.additionalProperties.properties),
    Object.keys(schema.properties).slice(0, -1),
  );
});
