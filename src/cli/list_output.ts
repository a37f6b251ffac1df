import { utf8 } from "../base/bytes.ts";
import { jsonLine } from "./json.ts";
import type { Output } from "./output.ts";

const BUFFER_CHARACTERS = 64 * 1024;

/** Writes a list of any length as it comes: a line for each item, or with `--json` one array. */
export class ListOutput {
  #text = "";
  #count = 0;

  /**
   * @param open What stands before the array, such as `{"changes":`
   */
  constructor(readonly output: Output, readonly json: boolean, readonly open = "") {}

  async add(line: () => string, value: () => unknown): Promise<void> {
    if (this.json) this.#text += `${this.#count === 0 ? `${this.open}[` : ","}\n${jsonLine(value())}`;
    else this.#text += `${line()}\n`;
    this.#count++;
    if (this.#text.length >= BUFFER_CHARACTERS) await this.#flush();
  }

  /** @param close What stands after the array; `text` is the last line for people, none if empty */
  async end(close = "", text = ""): Promise<void> {
    if (this.json) this.#text += `${this.#count === 0 ? `${this.open}[` : "\n"}]${close}\n`;
    else if (text !== "") this.#text += `${text}\n`;
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const text = this.#text;
    this.#text = "";
    if (text !== "") await this.output.write(utf8(text));
  }
}
