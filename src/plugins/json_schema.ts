/** The part of JSON Schema (draft 2020-12) that manifests and configurations of plugins are checked by. */
import type { Json } from "../base/canonical_json.ts";
import { meant, quote } from "../config/issue.ts";

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";

export interface JsonSchema {
  readonly $schema?: string;
  /** `#/$defs/<name>` of the whole schema. */
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly title?: string;
  readonly description?: string;
  readonly default?: Json;
  readonly type?: JsonType;
  readonly const?: Json;
  readonly enum?: readonly Json[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** Ends the sentence "expected …" where `pattern` fails; editors show it too. */
  readonly patternErrorMessage?: string;
}

export interface Fault {
  /** Such as `capabilities[0].hosts`; empty for the whole. */
  readonly path: string;
  /** Mostly "expected …, found …". */
  readonly message: string;
}

const WORDS: Readonly<Record<JsonType, string>> = {
  null: "nothing",
  boolean: "true or false",
  integer: "a whole number",
  number: "a number",
  string: "text",
  array: "a list",
  object: "a map",
};

/** Everything that `schema` has against `value`; empty if it is right. */
export function faultsOf(schema: JsonSchema, value: Json | undefined): Fault[] {
  const definitions = schema.$defs ?? {};
  const check = (schema: JsonSchema, value: Json | undefined, path: string): Fault[] => {
    if (schema.$ref !== undefined) return check(definitions[schema.$ref.slice("#/$defs/".length)], value, path);
    if (schema.anyOf !== undefined) return anyOf(schema.anyOf, value, path);
    const wrong = simpleFault(schema, value);
    if (wrong !== undefined) return [{ path, message: wrong }];
    if (Array.isArray(value)) return value.flatMap((item, at) => check(schema.items ?? {}, item, `${path}[${at}]`));
    return typeof value === "object" && value !== null ? members(schema, value, path) : [];
  };
  const anyOf = (choices: readonly JsonSchema[], value: Json | undefined, path: string): Fault[] => {
    const tried = choices.map((choice) => check(choice, value, path));
    if (tried.some((faults) => faults.length === 0)) return [];
    // The choice of the same type is the one that was meant.
    const meant = choices.findIndex(({ type }) => type !== undefined && hasType(value, type));
    if (meant >= 0) return tried[meant];
    return [{ path, message: `expected ${either(choices.map(expected))}, found ${found(value)}` }];
  };
  const members = (schema: JsonSchema, value: { [key: string]: Json | undefined }, path: string): Fault[] => {
    const { properties = {}, required = [], additionalProperties = true, propertyNames } = schema;
    const inside = (key: string) => path === "" ? key : `${path}.${key}`;
    const faults: Fault[] = required.filter((key) => !Object.hasOwn(value, key))
      .map((key) => ({ path: inside(key), message: `is missing` }));
    for (const [key, member] of Object.entries(value)) {
      if (Object.hasOwn(properties, key)) faults.push(...check(properties[key], member, inside(key)));
      else if (additionalProperties === false) {
        faults.push({ path: inside(key), message: `unknown key${meant(key, Object.keys(properties))}` });
      } else {
        const name = propertyNames === undefined ? undefined : simpleFault(propertyNames, key);
        if (name !== undefined) faults.push({ path: inside(key), message: `as a key: ${name}` });
        if (additionalProperties !== true) faults.push(...check(additionalProperties, member, inside(key)));
      }
    }
    return faults;
  };
  return check(schema, value, "");
}

/** Without a look at what lies inside of a list or map. */
function simpleFault(schema: JsonSchema, value: Json | undefined): string | undefined {
  const wrong = (what: string) => `expected ${what}, found ${found(value)}`;
  if (schema.const !== undefined && value !== schema.const) return wrong(shown(schema.const));
  if (schema.enum !== undefined && !schema.enum.includes(value as Json)) {
    const near = typeof value === "string" ? meant(value, schema.enum.filter((each) => typeof each === "string")) : "";
    return wrong(either(schema.enum.map(shown))) + near;
  }
  if (schema.type !== undefined && !hasType(value, schema.type)) return wrong(expected(schema));
  if (typeof value === "number") {
    if (value < (schema.minimum ?? -Infinity)) return wrong(`at least ${schema.minimum}`);
    if (value > (schema.maximum ?? Infinity)) return wrong(`at most ${schema.maximum}`);
  }
  if (typeof value === "string") {
    if (value.length < (schema.minLength ?? 0)) return wrong(`at least ${schema.minLength} characters`);
    if (value.length > (schema.maxLength ?? Infinity)) {
      return `expected at most ${schema.maxLength} characters, found ${value.length}`;
    }
    if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) return wrong(expected(schema));
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) {
      return `expected at least ${schema.minItems} items, found ${value.length}`;
    }
    if (value.length > (schema.maxItems ?? Infinity)) {
      return `expected at most ${schema.maxItems} items, found ${value.length}`;
    }
  }
  return undefined;
}

function hasType(value: Json | undefined, type: JsonType): boolean {
  if (value === undefined) return false;
  const own = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return type === "integer" ? Number.isSafeInteger(value) : own === type;
}

function expected({ type, patternErrorMessage, const: only }: JsonSchema): string {
  return patternErrorMessage ?? (only === undefined ? type === undefined ? "a value" : WORDS[type] : shown(only));
}

function either(words: readonly string[]): string {
  return words.length === 1 ? words[0] : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`;
}

function found(value: Json | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : shown(value);
}

function shown(value: Json): string {
  return typeof value === "string" ? quote(value) : String(value);
}
