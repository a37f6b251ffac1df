import { type JsonSchema, type Option, type Options, type Section, snakeCase } from "./option.ts";
import { OPTIONS } from "./schema.ts";

/** JSON Schema (draft 2020-12) of `axiom.yaml`, for editors. The program itself checks more exactly. */
export function configJsonSchema(): JsonSchema {
  const options = propertiesOf(OPTIONS);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration of AXIOM",
    type: ["object", "null"],
    additionalProperties: false,
    properties: {
      ...options,
      profiles: {
        description: "Options that replace those above when the profile is chosen by --profile or AXIOM_ENV",
        type: ["object", "null"],
        propertyNames: { pattern: "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$" },
        additionalProperties: { type: ["object", "null"], additionalProperties: false, properties: options },
      },
    },
  };
}

function propertiesOf(options: Options): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [key, entry] of Object.entries(options)) {
    properties[snakeCase(key)] = entry.kind === "option" ? optionSchema(entry) : sectionSchema(entry);
  }
  return properties;
}

function sectionSchema({ summary, options, shorthand }: Section<Options>): JsonSchema {
  const properties = propertiesOf(options);
  const section = { type: ["object", "null"], additionalProperties: false, properties };
  if (shorthand === undefined) return { description: summary, ...section };
  return { description: summary, anyOf: [section, properties[snakeCase(shorthand)]] };
}

function optionSchema({ summary, type, shape, defaultText }: Option<unknown>): JsonSchema {
  const reference = { type: "string", pattern: "\\$\\{" };
  const item = type.json.type === "string" ? type.json : { anyOf: [type.json, reference] };
  if (shape === "list") {
    return { description: summary, default: [], anyOf: [{ type: "array", items: item }, { type: "null" }] };
  }
  if (shape === "optional") return { description: summary, default: null, anyOf: [item, { type: "null" }] };
  return {
    description: summary,
    default: type.json.type === "boolean" ? defaultText === "true" : defaultText,
    ...item,
  };
}
