import { fromUtf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

const CTRL_C = 0x03, CTRL_D = 0x04, BACKSPACE = 0x08, CTRL_U = 0x15, ESCAPE = 0x1b, DELETE = 0x7f;

/** What a person types on one line, byte by byte as a terminal in raw mode gives it. */
export class PasswordLine {
  readonly #bytes: number[] = [];
  #escape: "no" | "started" | "sequence" = "no";

  /** True once the line is complete. Throws `AxiomError`: `interrupted` for Ctrl-C, and Ctrl-D on an empty line. */
  feed(byte: number): boolean {
    if (this.#skipsEscape(byte)) return false;
    if (byte === 0x0d || byte === 0x0a) return true;
    if (byte === CTRL_C || (byte === CTRL_D && this.#bytes.length === 0)) {
      throw new AxiomError("interrupted", "Cannot read the password: interrupted");
    }
    if (byte === CTRL_D) return true;
    if (byte === BACKSPACE || byte === DELETE) this.#removeLast();
    else if (byte === CTRL_U) this.#bytes.length = 0;
    else if (byte >= 0x20) this.#bytes.push(byte);
    if (this.#bytes.length > LIMITS.passwordBytesMax) {
      throw new AxiomError(
        "limit_exceeded",
        `Cannot read the password: it is longer than ${LIMITS.passwordBytesMax} bytes`,
        { hint: "Use --password-file with a key file" },
      );
    }
    return false;
  }

  /** Throws `AxiomError` if the terminal sends no UTF-8. */
  get text(): string {
    try {
      return fromUtf8(Uint8Array.from(this.#bytes));
    } catch (cause) {
      throw new AxiomError("usage", "Cannot read the password: what was typed is not UTF-8", {
        hint: "Set the terminal to UTF-8, or use --password-file",
        cause,
      });
    }
  }

  /** A character may be several bytes; those after the first are 10xxxxxx. */
  #removeLast(): void {
    let last = this.#bytes.pop();
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#bytes.pop();
  }

  /** Arrow keys and their like: ESC, or ESC [ and digits up to a letter. */
  #skipsEscape(byte: number): boolean {
    if (this.#escape === "no") {
      if (byte !== ESCAPE) return false;
      this.#escape = "started";
      return true;
    }
    const goesOn = this.#escape === "started" ? byte === 0x5b || byte === 0x4f : byte < 0x40;
    const isPart = goesOn || this.#escape === "sequence";
    this.#escape = goesOn ? "sequence" : "no";
    return isPart;
  }
}
