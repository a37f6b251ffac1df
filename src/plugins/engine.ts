/**
 * The only file that knows Extism. Runs in a sandbox worker, in the SDK's foreground mode: its own workers, time limits and
 * WASI do not hold what they promise.
 */
import createPlugin from "@extism/extism";
import type { Bytes } from "../base/bytes.ts";

// deno-lint-ignore no-explicit-any
export type HostFunction = (...args: any[]) => number | bigint | void;
/** By module, then by name. */
export type HostFunctions = Record<string, Record<string, HostFunction>>;

type Logger = NonNullable<Parameters<typeof createPlugin>[1]>["logger"];

const nothing = () => {};
const SILENT = Object.freeze({
  log: nothing,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
});

/** A stock module set an error, and returned in good order. */
export class StockError extends Error {}

const STOCK_ERROR = "Plugin-originated error: ";

function rethrow(error: unknown): never {
  const isOwn = error instanceof Error && !(error instanceof WebAssembly.RuntimeError);
  if (isOwn && error.message.startsWith(STOCK_ERROR)) throw new StockError(error.message.slice(STOCK_ERROR.length));
  throw error;
}

/** One instance of a module: one call at a time, and none after a trap. */
export interface Engine {
  /** A new view at each use: growth detaches the old one. */
  memory(): Uint8Array<ArrayBuffer>;
  has(name: string): boolean;
  /** Calls an export of ABI 1 and returns its number. */
  call(name: string): number;
  /** Calls an export of the stock kit with one block; an error that it set is a {@linkcode StockError}. */
  callBlock(name: string, input: Bytes): Promise<Bytes>;
}

/**
 * @param functions Everything that the module imports, except what the SDK itself provides as `extism:host/env`
 * @param pagesMax Bounds the SDK's own buffers; the module's memory has its maximum in its bytes
 */
export async function instantiate(
  module: WebAssembly.Module,
  functions: HostFunctions,
  pagesMax: number,
): Promise<Engine> {
  const plugin = await createPlugin(module, {
    functions: withoutContext(functions),
    config: Object.create(null),
    allowedHosts: [],
    allowedPaths: {},
    memory: { maxPages: pagesMax, maxVarBytes: 0, maxHttpResponseBytes: 0 },
    fetch: () => Promise.reject(new Error("not granted")),
    logger: SILENT as unknown as Logger,
    logLevel: "silent",
    runInWorker: false,
    useWasi: false,
  });
  const { exports } = await plugin.getInstance();
  return {
    memory: () => new Uint8Array((exports.memory as WebAssembly.Memory).buffer as ArrayBuffer),
    has: (name) => typeof exports[name] === "function",
    call: (name) => Number((exports[name] as () => unknown)()),
    async callBlock(name, input) {
      const output = await plugin.call(name, input).catch(rethrow);
      return new Uint8Array(output === null ? [] : output.bytes());
    },
  };
}

/** The SDK puts its own context before the arguments; nothing of ours needs it. */
function withoutContext(functions: HostFunctions): Record<string, Record<string, HostFunction>> {
  const wrap = (own: HostFunction): HostFunction => (_context, ...args) => own(...args);
  return Object.fromEntries(
    Object.entries(functions).map((
      [module, names],
    ) => [module, Object.fromEntries(Object.entries(names).map(([name, own]) => [name, wrap(own)]))]),
  );
}
