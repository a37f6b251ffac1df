import { AxiomError, messageOf, throwIfAborted } from "../base/errors.ts";
import { displayName } from "../base/names.ts";

/**
 * Runs a program to its end, of which no shell changes a word, and returns what it printed on both its outputs. Throws
 * `source_failed` with that if it ends with anything but 0.
 *
 * @param charactersMax Of the end of what it printed; the rest is not kept
 */
export async function runCommand(
  words: readonly string[],
  { folder, signal, charactersMax }: { folder: string; signal: AbortSignal; charactersMax: number },
): Promise<string> {
  throwIfAborted(signal);
  const [program, ...args] = words, name = displayName(program);
  const failed = (why: string, cause?: unknown) =>
    new AxiomError("source_failed", `Cannot run ${name}: ${why}`, { hint: "Try the command after -- alone", cause });
  let child: Deno.ChildProcess;
  try {
    const options = { args, cwd: folder, stdin: "null", stdout: "piped", stderr: "piped" } as const;
    child = new Deno.Command(program, options).spawn();
  } catch (error) {
    throw failed(messageOf(error), error);
  }
  let text = "";
  const readers = [child.stdout, child.stderr].map((stream) => stream.pipeThrough(new TextDecoderStream()).getReader());
  const stop = () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // it ended meanwhile
    }
    for (const reader of readers) reader.cancel().catch(() => {}); // children of it may hold them open
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    await Promise.all(readers.map(async (reader) => {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        text = (text + piece.value).slice(-charactersMax);
      }
    }));
    const { success, code, signal: kill } = await child.status;
    throwIfAborted(signal);
    if (success) return text;
    throw failed(`it ended with ${kill ?? `the exit code ${code}`}${text === "" ? "" : `:\n${text.trimEnd()}`}`);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
