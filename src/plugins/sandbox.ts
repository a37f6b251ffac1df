import { type Bytes, concat, utf8, viewOf } from "../base/bytes.ts";
import { messageOf } from "../base/errors.ts";
import { ABI_MARKER, RENAMED } from "./abi.ts";
import { CallState, errorClassOf, GuestFault } from "./call_state.ts";
import { type Engine, instantiate, StockError } from "./engine.ts";
import { type Guest, hostImports } from "./host_imports.ts";
import { type AskMessage, GuestLine } from "./host_line.ts";
import type { CallMessage, FromSandbox, LoadMessage } from "./sandbox_protocol.ts";

const PAGE_BYTES = 65536;
const NOTHING = { operation: undefined, header: "{}", input: new Uint8Array(0), outputBytesMax: 0 };

const MESSAGE_CHARACTERS_MAX = 4096;
const STOCK = "stock:";

type Failed = Extract<FromSandbox, { type: "failed" }>;

/** One instance of a plugin and the calls into it, inside the worker that has no permission. */
export class Sandbox implements Guest {
  call = new CallState(NOTHING);
  line: GuestLine | undefined;
  #engine: Engine | undefined;
  #cancelled: Int32Array = new Int32Array(1);
  #memoryBytesMax = 0;

  constructor(readonly ask: (message: AskMessage) => void) {}

  memory(): Uint8Array<ArrayBuffer> {
    if (this.#engine === undefined) throw new GuestFault("abi", "it called the host while it was being loaded");
    return this.#engine.memory();
  }

  isCancelled(): boolean {
    return Atomics.load(this.#cancelled, 0) !== 0;
  }

  async load({ module, granted, memoryPages, cancelled, line }: LoadMessage): Promise<FromSandbox> {
    this.#cancelled = cancelled;
    this.line = line && new GuestLine(line, this.ask);
    this.#memoryBytesMax = memoryPages * PAGE_BYTES;
    try {
      this.#engine = await instantiate(module, hostImports(module, granted, this), memoryPages);
      if (this.#engine.has(RENAMED.reactorExport.to)) this.#engine.call(RENAMED.reactorExport.to);
      return { type: "ready" };
    } catch (error) {
      return this.#fault(error);
    }
  }

  async run(message: CallMessage): Promise<FromSandbox> {
    const engine = this.#engine!;
    this.call = new CallState(message);
    try {
      const number = await (engine.has(ABI_MARKER) ? this.#verb(engine, message) : this.#stock(engine, message));
      const failure = this.call.failure;
      if (number === 0 && failure === undefined) return this.#done();
      const name = failure?.class ?? errorClassOf(number);
      return this.#failed(name, failure?.message || `it answered ${number}`, false);
    } catch (error) {
      return this.#fault(error);
    }
  }

  #verb(engine: Engine, { verb }: CallMessage): number {
    if (verb.startsWith(STOCK) || !engine.has(verb)) throw new GuestFault("abi", `it has no export ${verb}`);
    return engine.call(verb);
  }

  /** A module of the stock kit has the verbs that it likes. With ours, it gets operation and header before the input. */
  async #stock(engine: Engine, { verb, operation, header }: CallMessage): Promise<number> {
    const { input } = this.call;
    if (verb.startsWith(STOCK)) this.call.write(await callBlock(engine, verb.slice(STOCK.length), input));
    else if (engine.has(verb)) this.call.write(await callBlock(engine, verb, blockOf(operation, header, input)));
    else if (verb === "execute") throw new GuestFault("abi", "it has no export execute");
    return 0;
  }

  get #memoryBytes(): number {
    try {
      return this.#engine?.memory().length ?? 0;
    } catch {
      return 0; // it has none
    }
  }

  #done(): FromSandbox {
    const { output, result, log, metrics } = this.call;
    return { type: "done", output, result, log, metrics, memoryBytes: this.#memoryBytes };
  }

  #failed(failure: Failed["failure"], text: string, isSpent = true): Failed {
    const message = text.slice(0, MESSAGE_CHARACTERS_MAX);
    return { type: "failed", failure, message, isSpent, log: this.call.log, memoryBytes: this.#memoryBytes };
  }

  #fault(error: unknown): FromSandbox {
    if (error instanceof StockError) return this.#failed("permanent", error.message, false);
    if (error instanceof GuestFault) return this.#failed(error.failure, error.message);
    const memoryBytes = this.#memoryBytes;
    if (memoryBytes > 0 && memoryBytes >= this.#memoryBytesMax) {
      return this.#failed("memory", `it took all of its ${memoryBytes} bytes of memory, then: ${messageOf(error)}`);
    }
    const said = this.call.log.find(({ level }) => level === "error");
    return this.#failed("trap", `${messageOf(error)}${said === undefined ? "" : `, after it said “${said.message}”`}`);
  }
}

/** u32 length of the header, little-endian | header with the operation's name in it | input */
function blockOf(operation: string | undefined, header: string, input: Bytes): Bytes {
  const head = utf8(JSON.stringify({ operation, ...JSON.parse(header) }));
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, head.length, true);
  return concat([length, head, input]);
}

async function callBlock(engine: Engine, name: string, block: Bytes): Promise<Bytes> {
  if (!engine.has(name)) throw new GuestFault("abi", `it has no export ${name}`);
  return await engine.callBlock(name, block);
}
