/**
 * The manifest of a plugin, in one place: what is checked when one is loaded, and the JSON Schema that `axiom config schema
 * plugin` prints for editors. What goes beyond the form of one key stands in `manifest_rules.ts`.
 */
import { LIMITS } from "../base/limits.ts";
import { CAPABILITY_NAMES } from "./capabilities.ts";
import type { JsonSchema } from "./json_schema.ts";
import { VERSION_PATTERN } from "./semver.ts";

export const CATEGORIES = [
  "compression",
  "encryption",
  "storage",
  "strategy",
  "filter",
  "source",
  "processing",
  "notification",
] as const;

export const PLUGIN_ID: JsonSchema = {
  type: "string",
  pattern: "^[a-z][a-z0-9_]{2,63}$",
  patternErrorMessage: "an id such as compression_lz4: small letters, digits and _, 3 to 64 of them",
};

const RANGE: JsonSchema = {
  type: "string",
  minLength: 1,
  maxLength: 256,
  patternErrorMessage: 'a range such as "^1.2"',
};

const LINE: JsonSchema = {
  type: "string",
  minLength: 1,
  maxLength: 200,
  pattern: "^[^\\p{Cc}\\p{Cs}\\u2028-\\u202e\\u2066-\\u2069]*$",
  patternErrorMessage: "one line of text without control characters",
};

const FORMAT_ID: JsonSchema = {
  type: "string",
  pattern: "^[a-z][a-z0-9.-]{1,63}$",
  patternErrorMessage: "the name of a format, such as lz4-frame-1",
};

const HOST: JsonSchema = {
  type: "string",
  maxLength: 260,
  pattern:
    "^(\\[[0-9a-f:]{2,39}\\]|(\\*\\.)?[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?)*)(:[1-9][0-9]{0,4})?$",
  patternErrorMessage: "a host in small letters, such as s3.example, s3.example:8443 or *.example",
};

const CAPABILITY: JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["name"],
  properties: {
    name: { enum: CAPABILITY_NAMES, description: "What it wants to be allowed" },
    reason: { ...LINE, description: "Why, for the person who is asked" },
    hosts: {
      type: "array",
      minItems: 1,
      maxItems: 64,
      items: HOST,
      description: "net.http: which hosts; left out, those that the person names",
    },
    methods: {
      type: "array",
      minItems: 1,
      maxItems: 16,
      items: {
        enum: [
          "GET",
          "HEAD",
          "PUT",
          "POST",
          "PATCH",
          "DELETE",
          "OPTIONS",
          "PROPFIND",
          "PROPPATCH",
          "MKCOL",
          "COPY",
          "MOVE",
          "LOCK",
          "UNLOCK",
        ],
      },
      description: "net.http: which methods; left out, GET",
    },
    folders: {
      type: "array",
      minItems: 1,
      maxItems: 64,
      items: {
        type: "string",
        maxLength: 4096,
        pattern: "^(/|[A-Za-z]:\\\\)[^\\p{Cc}]*$",
        patternErrorMessage: "an absolute path",
      },
      description: "files: which folders; left out, those that the person names",
    },
  },
};

/** What a plugin may say of its configuration: JSON Schema without references and without regular expressions. */
const CONFIG_SCHEMA: JsonSchema = {
  type: "object",
  additionalProperties: false,
  properties: {
    type: { enum: ["boolean", "integer", "number", "string", "array", "object"] },
    title: LINE,
    description: { type: "string", maxLength: 2000 },
    default: {},
    enum: { type: "array", minItems: 1, maxItems: 256 },
    minimum: { type: "number" },
    maximum: { type: "number" },
    minLength: { type: "integer", minimum: 0 },
    maxLength: { type: "integer", minimum: 0 },
    minItems: { type: "integer", minimum: 0 },
    maxItems: { type: "integer", minimum: 0 },
    required: { type: "array", maxItems: 256, items: { type: "string" } },
    properties: { type: "object", additionalProperties: { $ref: "#/$defs/config_schema" } },
    additionalProperties: { type: "boolean" },
    items: { $ref: "#/$defs/config_schema" },
  },
};

export const MANIFEST_SCHEMA: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "Manifest of an AXIOM plugin",
  $defs: { config_schema: CONFIG_SCHEMA },
  type: "object",
  additionalProperties: false,
  required: ["manifest", "plugin_id", "version", "category", "description", "engines"],
  properties: {
    manifest: { const: 1, description: "Version of this form" },
    plugin_id: { ...PLUGIN_ID, description: "Its name for people and programs" },
    version: {
      type: "string",
      maxLength: 128,
      pattern: VERSION_PATTERN,
      patternErrorMessage: "a version such as 1.4.0, of semver.org",
      description: "Its version, of semver.org",
    },
    category: { enum: CATEGORIES, description: "Which step it takes" },
    description: { ...LINE, description: "What it does, in one line" },
    engines: {
      type: "object",
      additionalProperties: false,
      required: ["axiom", "abi"],
      description: "What it runs in",
      properties: {
        axiom: { ...RANGE, description: 'Versions of AXIOM, such as ">=0.1 <2"' },
        abi: { enum: [1, "extism"], description: "1; or extism for a stock module that knows nothing of AXIOM" },
      },
    },
    dependencies: {
      type: "array",
      maxItems: 64,
      description: "Plugins that it needs: ids, or ids with a range of versions",
      items: {
        anyOf: [PLUGIN_ID, {
          type: "object",
          additionalProperties: false,
          required: ["plugin_id"],
          properties: { plugin_id: PLUGIN_ID, version: RANGE, optional: { type: "boolean", default: false } },
        }],
      },
    },
    capabilities: {
      type: "array",
      maxItems: CAPABILITY_NAMES.length,
      items: CAPABILITY,
      description: "What it wants to be allowed beyond its own memory",
    },
    format_id: { ...FORMAT_ID, description: "Codecs and ciphers: the format that it writes" },
    reads_formats: {
      type: "array",
      maxItems: 32,
      items: FORMAT_ID,
      description: "Codecs and ciphers: further formats that it reads",
    },
    nonce_bytes: {
      type: "integer",
      minimum: 8,
      maximum: 64,
      description: "Ciphers: random bytes that it wants per frame",
    },
    overhead_bytes: {
      type: "integer",
      minimum: 0,
      maximum: 4096,
      description: "Ciphers: how much longer the sealed bytes are, without the nonce",
    },
    limits: {
      type: "object",
      additionalProperties: false,
      description: "What it asks for; the host may give less",
      properties: {
        memory_pages: { type: "integer", minimum: 1, maximum: 65536, description: "Of 64 KiB" },
        call_ms: {
          type: "integer",
          minimum: 1,
          maximum: LIMITS.pluginCallMsMax,
          description: "Longest time of one call",
        },
      },
    },
    config_schema: { $ref: "#/$defs/config_schema", description: "JSON Schema of its configuration" },
  },
};
