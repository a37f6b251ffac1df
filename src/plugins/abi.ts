/**
 * ABI 1: what a plugin exports, and what it may import. Integers are i32 unless a signature says otherwise; text is UTF-8.
 *
 * Each verb is `() -> i32`, 0 or the number of an error class. `execute` asks for its operation and its header, reads its
 * input and writes its output through imports; nothing else passes between host and plugin.
 */

/** An export that is never called: whoever has it wants this ABI. */
export const ABI_MARKER = "axiom_abi_1";

export const VERBS = ["initialize", "validate", "execute", "teardown"] as const;
export type Verb = typeof VERBS[number];

/** What `op()` answers during `execute`; 0 during every other verb. Numbers are never used again. */
export const OPERATIONS = {
  encode: 1,
  decode: 2,
  seal: 3,
  open: 4,
  put: 5,
  get: 6,
  stat: 7,
  list: 8,
  delete: 9,
  select: 10,
  plan: 11,
  read: 12,
  run: 13,
} as const;
export type Operation = keyof typeof OPERATIONS;

/** Number of an error class is its place. A plugin returns it, or gives it to `fail` with a message. */
export const ERROR_CLASSES = [
  "ok",
  "invalid_input",
  "unsupported",
  "corrupt_data",
  "auth",
  "not_found",
  "conflict",
  "transient",
  "quota",
  "permanent",
  "cancelled",
  "internal",
  "capability_denied",
] as const;
export type ErrorClass = Exclude<typeof ERROR_CLASSES[number], "ok">;

/** What the host adds: after one of these the instance is gone. */
export const HOST_FAULTS = ["trap", "memory", "deadline", "abi", "signature"] as const;
export type HostFault = typeof HOST_FAULTS[number];

export const LOG_LEVELS = ["error", "warning", "info", "debug"] as const;

/** Imports of every plugin. `host_imports.ts` says what each does. */
export const IO_MODULE = "axiom:host/io@1";
export const CALL_MODULE = "axiom:host/call@1";
export const HOST_MODULE = /^axiom:host\/([a-z]+)@([0-9]+)$/;
/** The stock Extism kit's own. */
export const EXTISM_MODULE = "extism:host/env";

/**
 * Names that admission puts in place of ones that the SDK would act upon by itself; each is as long as what it replaces.
 * `_initialize` is called by the SDK before memory can be had, and Go does not survive a second call.
 */
export const RENAMED = {
  wasiModule: { from: "wasi_snapshot_preview1", to: "axiom:host/wasi-stub@1" },
  reactorExport: { from: "_initialize", to: "axiom_start" },
  httpImport: { module: EXTISM_MODULE, from: "http_request", to: "http_refused" },
} as const;
