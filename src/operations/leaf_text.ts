import { utf8 } from "../base/bytes.ts";

const QUOTE = 0x22, BACKSLASH = 0x5c, ZERO = 0x30, NINE = 0x39;

/** A place in canonical JSON. What is not written as expected is a failure, which stays at every later step. */
export class LeafText {
  at = 0;

  constructor(readonly data: Uint8Array) {}

  get failed(): boolean {
    return this.at < 0;
  }

  fail(): void {
    this.at = MISREAD;
  }

  /** Steps over `literal` if it stands here. */
  has(literal: Uint8Array): boolean {
    const { data, at } = this;
    if (at < 0) return false;
    for (let i = 0; i < literal.length; i++) if (data[at + i] !== literal[i]) return false;
    this.at = at + literal.length;
    return true;
  }

  expect(literal: Uint8Array): void {
    if (!this.has(literal)) this.fail();
  }

  /** A number of up to 15 digits, which a double holds exactly. */
  digits(): number {
    const { data } = this;
    const start = this.at;
    if (start < 0) return 0;
    let at = start, value = 0;
    for (; data[at] >= ZERO && data[at] <= NINE; at++) value = value * 10 + (data[at] - ZERO);
    this.at = at === start || at - start > 15 ? MISREAD : at;
    return value;
  }

  /** Steps over a number of any length, such as nanoseconds since 1970, and returns how many digits it has. */
  countDigits(): number {
    const { data } = this;
    const start = this.at;
    if (start < 0) return 0;
    let at = start;
    while (data[at] >= ZERO && data[at] <= NINE) at++;
    this.at = at === start ? MISREAD : at;
    return at - start;
  }

  /** The number that `count` digits from `from` are. */
  numberAt(from: number, count: number): number {
    let value = 0;
    for (let at = from; at < from + count; at++) value = value * 10 + (this.data[at] - ZERO);
    return value;
  }

  /** Steps to the quote that ends a text without escapes. */
  plainText(): void {
    const { data } = this;
    let at = this.at;
    if (at < 0) return;
    while (at < data.length && data[at] !== QUOTE && data[at] !== BACKSLASH) at++;
    this.at = at < data.length && data[at] === QUOTE ? at : MISREAD;
  }

  /** Steps to the quote that ends any text. */
  anyText(): void {
    const { data } = this;
    let at = this.at;
    if (at < 0) return;
    while (at < data.length && data[at] !== QUOTE) at += data[at] === BACKSLASH ? 2 : 1;
    this.at = at < data.length ? at : MISREAD;
  }

  /** Reads an id in hexadecimal of as many bytes as `into` has. */
  id(into: Uint8Array): void {
    const { data } = this;
    let at = this.at, wrong = 0;
    if (at < 0) return;
    for (let i = 0; i < into.length; i++, at += 2) {
      const high = HEX[data[at]], low = HEX[data[at + 1]];
      wrong |= high | low;
      into[i] = (high << 4) | low;
    }
    this.at = (wrong & 16) === 0 && at <= data.length ? at : MISREAD;
  }
}

const MISREAD = -1;

/** Value of a lower-case hexadecimal digit; 16 for any other byte. */
const HEX = new Uint8Array(256).fill(16);
for (let value = 0; value < 16; value++) HEX[value.toString(16).charCodeAt(0)] = value;

/** What {@linkcode LeafText.has} looks for. */
export function literals<Name extends string>(texts: Record<Name, string>): Record<Name, Uint8Array> {
  const all = Object.entries<string>(texts).map(([name, text]) => [name, utf8(text)]);
  return Object.fromEntries(all) as Record<Name, Uint8Array>;
}
