import { AxiomError, messageOf } from "../base/errors.ts";
import { displayName } from "../base/names.ts";

/** Something that gives bytes until it ends, well or not. */
export interface Producer {
  /** For messages: `the output of pg_dump`. */
  readonly what: string;
  readonly bytes: ReadableStream<Uint8Array>;
  /** Resolves when it ended well; rejects with `source_failed`. */
  readonly done: Promise<void>;
  /** Ends it if it still runs. */
  stop(): void;
}

/** Starts a program, of which no shell changes a word. Throws `source_failed` if it cannot be started. */
export function startProducer(words: readonly string[], environment: Record<string, string> = {}): Producer {
  const [program, ...args] = words;
  const name = displayName(program);
  const options = { args, env: environment, stdin: "inherit", stdout: "piped", stderr: "inherit" } as const;
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, options).spawn();
  } catch (error) {
    throw new AxiomError("source_failed", `Cannot run ${name}: ${messageOf(error)}`, {
      hint: "Check the command after --; no snapshot was made",
      cause: error,
    });
  }
  let running = true;
  const done = child.status.then(({ success, code, signal }) => {
    running = false;
    if (success) return;
    const how = signal === null ? `the exit code ${code}` : signal;
    throw new AxiomError("source_failed", `Cannot trust the output of ${name}: it ended with ${how}`, {
      hint: "Look at what it printed above; no snapshot was made",
    });
  });
  done.catch(() => {}); // awaited at the end of the stream
  return {
    what: `the output of ${name}`,
    bytes: child.stdout,
    done,
    stop() {
      if (!running) return;
      try {
        child.kill("SIGTERM");
      } catch {
        // It ended meanwhile.
      }
    },
  };
}

/** Standard input, of which nobody can say whether it ended well. Throws `usage` if it is a terminal. */
export function standardInput(): Producer {
  if (Deno.stdin.isTerminal()) {
    throw new AxiomError("usage", "Cannot save standard input: it is a terminal", {
      hint: "Send something to it, as in `pg_dump shop | axiom backup --stdin`",
    });
  }
  return { what: "standard input", bytes: Deno.stdin.readable, done: Promise.resolve(), stop() {} };
}
