/** Modules made by hand, section by section: a good one, and one that breaks each rule of admission. */
import { type Bytes, concat, utf8 } from "../base/bytes.ts";
import { u32 } from "./wasm_rewrite.ts";

type Section = readonly number[];
type Sections = Readonly<Record<number, Section | undefined>>;

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
export const ORDER = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];

export const leb = (value: number) => [...u32(value)];
export const text = (value: string) => [...leb(utf8(value).length), ...utf8(value)];
export const vector = (...items: Section[]) => [...leb(items.length), ...items.flat()];
export const section = (id: number, content: Section) => [id, ...leb(content.length), ...content];
export const custom = (name: string, content: Uint8Array) => section(0, [...text(name), ...content]);

export function join(...parts: (Section | Uint8Array)[]): Bytes {
  return concat(parts.map((part) => Uint8Array.from(part)));
}

const I32 = 0x7f;
/** 0: () -> i32, 1: (i32, i32) -> i32, 2: (i32) -> () */
const TYPES = vector([0x60, 0, 1, I32], [0x60, 2, I32, I32, 1, I32], [0x60, 1, I32, 0]);
export const imported = (module: string, name: string, type: number) => [...text(module), ...text(name), 0, type];
export const exported = (name: string, kind: number, index: number) => [...text(name), kind, index];

const IO_IMPORTS = [imported("axiom:host/io@1", "read", 1), imported("axiom:host/io@1", "write", 1)];
const VERBS = ["axiom_abi_1", "initialize", "validate", "execute", "teardown"];
/** After two imports, function 2 is the first of its own. */
const EXPORTS = [exported("memory", 2, 0), ...VERBS.map((name) => exported(name, 0, 2))];
const without = (name: string) => EXPORTS.filter((_, at) => at === 0 || VERBS[at - 1] !== name);

/** Two imports, one function () -> i32 that answers 0, one page of memory. */
export const GOOD: Sections = {
  1: TYPES,
  2: vector(...IO_IMPORTS),
  3: vector([0]),
  5: vector([0, 1]),
  7: vector(...EXPORTS),
  10: vector([4, 0, 0x41, 0, 0x0b]),
};

export const MANIFEST = {
  manifest: 1,
  plugin_id: "compression_copy",
  version: "1.2.3",
  category: "compression",
  description: "Copies",
  engines: { axiom: ">=0.1 <2", abi: 1 },
  format_id: "copy-1",
};

const manifestSection = (manifest: unknown = MANIFEST) => custom("axiom:manifest@1", utf8(JSON.stringify(manifest)));

/** The good module with `changes` in place of its sections, undefined for none; `tail` follows the manifest. */
export function build(changes: Sections = {}, manifest: unknown = MANIFEST, ...tail: Section[]): Bytes {
  const sections: Sections = { ...GOOD, ...changes };
  const written = ORDER.flatMap((id) => sections[id] === undefined ? [] : section(id, sections[id]));
  return join(HEADER, manifestSection(manifest), written, ...tail);
}

export interface BrokenModule {
  readonly rule: string;
  readonly bytes: Bytes;
  /** What its refusal says. */
  readonly message: RegExp;
}

const good = build();
const processing = (more: object) => {
  const { format_id: _, ...rest } = MANIFEST;
  return { ...rest, plugin_id: "processing_x", category: "processing", ...more };
};
const memory = (...limits: number[]) => build({ 5: vector(limits) });
const withImports = (...imports: Section[]) =>
  build({ 2: vector(...IO_IMPORTS.slice(0, 2 - imports.length), ...imports) });
const withExport = (...item: Section[]) => build({ 7: vector(...EXPORTS, ...item) });

/** Each is the good module but for one thing. */
export const BROKEN: readonly BrokenModule[] = [
  { rule: "it is WASM", bytes: join(utf8("not wasm at all")), message: /it is no WASM module/ },
  { rule: "it is not empty", bytes: join([]), message: /it is no WASM module/ },
  {
    rule: "it is a module",
    bytes: join([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]),
    message: /a WASM component, not a module/,
  },
  { rule: "its version is known", bytes: join([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), message: /unknown version 2/ },
  { rule: "it is whole", bytes: good.slice(0, -3), message: /is damaged: it ends too early/ },
  { rule: "its sections end where they say", bytes: join(good, [0, 200]), message: /is damaged: it ends too early/ },
  {
    rule: "its numbers have 32 bits",
    bytes: join(good, [0, 0xff, 0xff, 0xff, 0xff, 0x7f]),
    message: /more than 32 bits/,
  },
  {
    rule: "its numbers end",
    bytes: join(good, [0, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
    message: /more than 32 bits|too long/,
  },
  { rule: "its names are UTF-8", bytes: join(good, section(0, [1, 0xff])), message: /a name is not UTF-8/ },
  { rule: "no section comes twice", bytes: join(good, section(10, [])), message: /section 10 twice/ },
  { rule: "sections stand in order", bytes: join(good, section(4, [0])), message: /section 4 in the wrong place/ },
  { rule: "sections are known", bytes: join(good, section(14, [0])), message: /unknown kind 14/ },
  { rule: "no exceptions", bytes: join(good, section(13, [0])), message: /uses WASM exceptions/ },
  {
    rule: "lists are as long as announced",
    bytes: build({ 3: [...vector([0]), 0] }),
    message: /list of functions is shorter/,
  },
  {
    rule: "counts are possible",
    bytes: build({ 3: leb(900_000) }),
    message: /announces 900000 functions and ends too early/,
  },
  {
    rule: "counts are bounded",
    bytes: build({ 3: leb(0xffffffff) }),
    message: /has 4294967295 functions, 1000000 are/,
  },
  { rule: "no garbage-collected types", bytes: build({ 1: vector([0x5f, 0]) }), message: /garbage-collected types/ },
  { rule: "value types are known", bytes: build({ 1: vector([0x60, 1, 0x64, 0]) }), message: /value type 0x64/ },
  { rule: "functions have a type", bytes: build({ 3: vector([9]) }), message: /a function of type 9, and 3 types/ },
  {
    rule: "exports exist",
    bytes: withExport(exported("more", 0, 99)),
    message: /exports more, the function 99, and has 3/,
  },
  {
    rule: "exports are of a known kind",
    bytes: withExport(exported("more", 4, 0)),
    message: /more is of an unknown kind/,
  },
  { rule: "exports differ", bytes: withExport(exported("teardown", 0, 2)), message: /exports teardown twice/ },
  { rule: "one memory", bytes: build({ 5: vector([0, 1], [0, 1]) }), message: /has 2 memories, 1 are allowed/ },
  {
    rule: "a memory of its own",
    bytes: build({ 5: undefined, 7: vector(...EXPORTS.slice(1)) }),
    message: /has no memory of its own/,
  },
  {
    rule: "its memory is exported",
    bytes: build({ 7: vector(...EXPORTS.slice(1)) }),
    message: /does not export its memory/,
  },
  { rule: "its memory is not shared", bytes: memory(3, 1, 1), message: /shared memory: threads are not supported/ },
  { rule: "its memory has 32 bits", bytes: memory(4, 1), message: /64-bit memory/ },
  { rule: "its pages have 64 KiB", bytes: memory(8, 1, 0), message: /pages of its own size/ },
  { rule: "its memory has known flags", bytes: memory(16, 1), message: /memory has unknown flags/ },
  { rule: "its memory's bounds are in order", bytes: memory(1, 3, 2), message: /maximum, 2, is below its minimum, 3/ },
  {
    rule: "it starts within its memory",
    bytes: memory(0, ...leb(300)),
    message: /needs 300 pages of memory to start, and gets 256: see limits.memory_pages/,
  },
  {
    rule: "it imports no memory",
    bytes: withImports([...text("env"), ...text("memory"), 2, 0, 1]),
    message: /imports the memory env memory/,
  },
  {
    rule: "it imports no global",
    bytes: withImports([...text("env"), ...text("g"), 3, I32, 0]),
    message: /imports the global env g/,
  },
  {
    rule: "it imports no table",
    bytes: withImports([...text("env"), ...text("t"), 1, 0x70, 0, 1]),
    message: /imports the table env t/,
  },
  {
    rule: "its tables are small",
    bytes: build({ 4: vector([0x70, 0, ...leb(2_000_000)]) }),
    message: /tables of 2000000 entries/,
  },
  { rule: "its tables are few", bytes: build({ 4: leb(17) }), message: /has 17 tables, 16 are allowed/ },
  { rule: "its tables are plain", bytes: build({ 4: vector([0x40, 0, 0x70, 0, 1]) }), message: /a table of a kind/ },
  { rule: "no start function", bytes: build({ 8: leb(2) }), message: /has a start function/ },
  {
    rule: "no _start",
    bytes: withExport(exported("_start", 0, 2)),
    message: /exports _start: a command runs as a whole/,
  },
  { rule: "no hs_init", bytes: withExport(exported("hs_init", 0, 2)), message: /exports hs_init: modules of Haskell/ },
  {
    rule: "one reactor start",
    bytes: withExport(exported("_initialize", 0, 2), exported("axiom_start", 0, 2)),
    message: /exports both _initialize and axiom_start/,
  },
  {
    rule: "the marker",
    bytes: build({ 7: vector(...without("axiom_abi_1")) }),
    message: /does not export axiom_abi_1$/m,
  },
  {
    rule: "the marker's number is known",
    bytes: build({ 7: vector(...without("axiom_abi_1"), exported("axiom_abi_2", 0, 2)) }),
    message: /does not export axiom_abi_1: it speaks ABI 2, and this program ABI 1/,
  },
  ...VERBS.slice(1).map((verb) => ({
    rule: `it has ${verb}`,
    bytes: build({ 7: vector(...without(verb)) }),
    message: new RegExp(`does not export ${verb}$`, "m"),
  })),
  {
    rule: "verbs are () -> i32",
    bytes: build({ 7: vector(...without("execute"), exported("execute", 0, 0)) }),
    message: /exports execute as something else than a function \(\) -> i32/,
  },
  {
    rule: "verbs are functions",
    bytes: build({ 7: vector(...without("execute"), exported("execute", 2, 0)) }),
    message: /exports execute as something else/,
  },
  {
    rule: "imports are of the host",
    bytes: withImports(imported("env", "system", 1)),
    message: /imports system of env: nothing/,
  },
  {
    rule: "a module is no property",
    bytes: withImports(imported("constructor", "name", 1)),
    message: /imports name of constructor/,
  },
  {
    rule: "the host has the module",
    bytes: withImports(imported("axiom:host/io@2", "read", 1)),
    message: /imports read of axiom:host\/io@2, which this program does not offer/,
  },
  {
    rule: "the module has the function",
    bytes: withImports(imported("axiom:host/io@1", "seek", 1)),
    message: /imports seek of axiom:host\/io@1, which has no such function/,
  },
  {
    rule: "imports have the right signature",
    bytes: withImports(imported("axiom:host/io@1", "read", 0)),
    message: /imports read of axiom:host\/io@1 with another signature than 2 × i32 -> 1 × i32/,
  },
  {
    rule: "imports are declared",
    bytes: withImports(imported("axiom:host/http@1", "send", 1)),
    message: /imports axiom:host\/http@1 and does not declare the capability net.http/,
  },
  {
    rule: "the stock kit is for stock modules",
    bytes: withImports(imported("extism:host/env", "http_request", 1)),
    message: /imports http_request of extism:host\/env, which only abi extism may/,
  },
  { rule: "its code is valid", bytes: build({ 10: vector([3, 0, 0x1a, 0x0b]) }), message: /is no valid WASM/ },
  {
    rule: "it has a manifest",
    bytes: join(HEADER, ...ORDER.map((id) => GOOD[id] ? section(id, GOOD[id]) : [])),
    message: /it has no manifest/,
  },
  { rule: "it has one manifest", bytes: join(good, manifestSection()), message: /has 2 manifests/ },
  {
    rule: "its manifest is right",
    bytes: build({}, { ...MANIFEST, sky: "blue" }),
    message: /its manifest is wrong: sky: unknown key/,
  },
  {
    rule: "its manifest is JSON",
    bytes: join(HEADER, custom("axiom:manifest@1", utf8("{"))),
    message: /wrong: expected JSON in UTF-8/,
  },
  {
    rule: "its manifest is short",
    bytes: build({}, { ...MANIFEST, description: "x".repeat(70_000) }),
    message: /wrong: expected at most 65536 bytes, found 70\d\d\d/,
  },
  {
    rule: "the stock kit has the function",
    bytes: build(
      { 2: vector(imported("extism:host/env", "toString", 1), imported("extism:host/env", "length", 1)) },
      processing({ engines: { axiom: "*", abi: "extism" } }),
    ),
    message: /imports toString of extism:host\/env, which has no such function/,
  },
  {
    rule: "a stock module has its memory too",
    bytes: build({ 7: vector(exported("run", 0, 2)) }, processing({ engines: { axiom: "*", abi: "extism" } })),
    message: /processing_x 1.2.3 .* does not export its memory/,
  },
];
