import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { cString } from "./c_string.ts";
import { Libc } from "./libc.ts";
import { AT_FDCWD, O_CLOEXEC, O_RDWR } from "./linux_constants.ts";
import { findLibc } from "./open_file_system.ts";
import { PasswordLine } from "./password_line.ts";

/** The terminal that a person sits at, whatever standard input is. */
interface Terminal {
  /** Bytes read into `into`, 0 at the end of input. */
  read(into: Uint8Array<ArrayBuffer>): number;
  write(text: string): void;
  /** Raw: no echo, no lines, and Ctrl-C as a byte, so that the terminal is put right again before the program ends. */
  setRaw(raw: boolean): void;
  close(): void;
}

/**
 * Asks a question; the answer is shown once it is complete. Undefined without a terminal. Throws `AxiomError` `interrupted`.
 * Blocks the whole program while it waits.
 */
export function readAnswer(question: string): string | undefined {
  const terminal = openLibcTerminal() ?? openDenoTerminal();
  return terminal && answerOf(terminal, question, (answer) => answer);
}

/**
 * Asks for a line without showing it. Throws `AxiomError`: `password_missing` without a terminal, `interrupted`.
 * Blocks the whole program while it waits.
 */
export function readPassword(prompt: string): string {
  const terminal = openLibcTerminal() ?? openDenoTerminal();
  if (terminal === undefined) {
    throw new AxiomError("password_missing", "Cannot ask for the password: there is no terminal", {
      hint: "Give it with --password-file, --password-command, or AXIOM_PASSWORD",
    });
  }
  return answerOf(terminal, prompt, () => "");
}

function answerOf(terminal: Terminal, prompt: string, shown: (answer: string) => string): string {
  terminal.setRaw(true); // first: what was typed before is thrown away, and no letter of a password is shown
  try {
    terminal.write(prompt);
    const answer = readLine(terminal);
    terminal.write(shown(answer));
    return answer;
  } finally {
    terminal.setRaw(false);
    terminal.write("\n");
    terminal.close();
  }
}

function readLine(terminal: Terminal): string {
  const line = new PasswordLine();
  const buffer = new Uint8Array(new ArrayBuffer(256));
  for (;;) {
    const count = terminal.read(buffer);
    if (count === 0) {
      throw new AxiomError("password_missing", "Cannot read the password: the terminal was closed");
    }
    for (const byte of buffer.subarray(0, count)) {
      if (line.feed(byte)) {
        buffer.fill(0);
        return line.text;
      }
    }
  }
}

/** `/dev/tty` by the C library, because Deno opens it only for programs with every permission. */
function openLibcTerminal(): Terminal | undefined {
  const libc = findLibc();
  if (!(libc instanceof Libc)) return undefined;
  const { symbols } = libc;
  const descriptor = libc.attempt(() => symbols.openat(AT_FDCWD, cString("/dev/tty", "open"), O_RDWR | O_CLOEXEC, 0));
  if (descriptor < 0) return undefined;
  const before = new Uint8Array(new ArrayBuffer(256));
  if (libc.attempt(() => symbols.tcgetattr(descriptor, before)) < 0) {
    symbols.close(descriptor);
    return undefined;
  }
  return {
    read: (into) => libc.run("read", "/dev/tty", () => symbols.read(descriptor, into, BigInt(into.length))),
    write(text) {
      const data = utf8(text);
      for (let at = 0; at < data.length;) {
        const rest = data.subarray(at);
        at += libc.run("write", "/dev/tty", () => symbols.write(descriptor, rest, BigInt(rest.length)));
      }
    },
    setRaw(raw) {
      const settings = raw ? rawSettings(before) : before;
      libc.run("tcsetattr", "/dev/tty", () => symbols.tcsetattr(descriptor, TCSAFLUSH, settings));
    },
    close: () => void symbols.close(descriptor),
  };
}

/** Throws away what was typed before the prompt. */
const TCSAFLUSH = 2;
const ISIG = 0o1, ICANON = 0o2, ECHO = 0o10, ECHONL = 0o100, IEXTEN = 0o100000;
const LFLAG = 12, VTIME = 17 + 5, VMIN = 17 + 6;

/** `struct termios` of Linux: four words of flags, the last at 12, the line discipline at 16, then characters. */
function rawSettings(before: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const settings = before.slice();
  const view = new DataView(settings.buffer);
  view.setUint32(LFLAG, view.getUint32(LFLAG, true) & ~(ISIG | ICANON | ECHO | ECHONL | IEXTEN), true);
  settings[VTIME] = 0;
  settings[VMIN] = 1;
  return settings;
}

/** Standard input if that is a terminal; the prompt goes to standard error, away from a program's output. */
function openDenoTerminal(): Terminal | undefined {
  if (!Deno.stdin.isTerminal()) return undefined;
  return {
    read: (into) => Deno.stdin.readSync(into) ?? 0,
    write: (text) => void Deno.stderr.writeSync(utf8(text)),
    setRaw: (raw) => Deno.stdin.setRaw(raw),
    close: () => {},
  };
}
