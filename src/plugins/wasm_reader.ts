import { viewOf } from "../base/bytes.ts";

/** What is wrong with a module's bytes, as the end of the sentence "… cannot be loaded: it …". */
export class WasmFault extends Error {
  override readonly name = "WasmFault";

  constructor(message: string, readonly hint?: string) {
    super(message);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads `[at, end)` of a module front to back; every read is bounded. */
export class WasmReader {
  readonly #data: Uint8Array;
  readonly end: number;
  at: number;

  constructor(data: Uint8Array, at = 0, end = data.length) {
    this.#data = data;
    this.at = at;
    this.end = end;
  }

  get isDone(): boolean {
    return this.at === this.end;
  }

  fail(what: string): never {
    throw new WasmFault(`is damaged: ${what} at byte ${this.at}`);
  }

  byte(): number {
    if (this.at >= this.end) this.fail("it ends too early");
    return this.#data[this.at++];
  }

  /** Little endian, as in the header. */
  word(): number {
    if (this.end - this.at < 4) this.fail("it ends too early");
    this.at += 4;
    return viewOf(this.#data).getUint32(this.at - 4, true);
  }

  /** LEB128 of at most 32 bits; WebAssembly Core 2.0, section 5.2.2. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) this.fail("a number has more than 32 bits");
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return this.fail("a number is too long");
  }

  /** A count of things of at least one byte each. */
  count(countMax: number, what: string): number {
    const count = this.u32();
    if (count > countMax) throw new WasmFault(`has ${count} ${what}, ${countMax} are allowed`);
    if (count > this.end - this.at) this.fail(`it announces ${count} ${what} and ends too early`);
    return count;
  }

  bytes(length: number): Uint8Array {
    if (length > this.end - this.at) this.fail("it ends too early");
    this.at += length;
    return this.#data.subarray(this.at - length, this.at);
  }

  text(): string {
    try {
      return decoder.decode(this.bytes(this.u32()));
    } catch (error) {
      if (error instanceof WasmFault) throw error;
      return this.fail("a name is not UTF-8");
    }
  }

  /** A reader of the next `length` bytes, which this one passes over. */
  part(length: number): WasmReader {
    const at = this.at;
    this.bytes(length);
    return new WasmReader(this.#data, at, this.at);
  }
}
