import type { Bytes } from "../base/bytes.ts";
import { AxiomError, messageOf, throwIfAborted } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { splitWords } from "../base/words.ts";
import { readBounded } from "./read_bounded.ts";

/** The first line of a file, without its end. Throws `password_missing`, and `usage` for what is no text. */
export async function passwordFromFile(path: string): Promise<string> {
  return firstLine(await readSecretFile(path, "password"), `the password file ${path}`);
}

/** All bytes of a file. Throws `password_missing` if it cannot be read, `usage` if it is far too long. */
export function keyFromFile(path: string): Promise<Bytes> {
  return readSecretFile(path, "key");
}

/**
 * The first line that a command prints, without its end. The command is cut into words as a shell would, but no shell runs
 * and nothing is expanded. Throws `password_missing` if it fails.
 */
export async function passwordFromCommand(command: string, signal?: AbortSignal): Promise<string> {
  const words = splitWords(command);
  if (words === undefined || words.length === 0) {
    throw new AxiomError("usage", `Cannot run the password command ${command}: a quote or backslash is left open`);
  }
  const [program, ...args] = words;
  const fail = (why: string, cause?: unknown) =>
    new AxiomError("password_missing", `Cannot get the password from the command ${program}: ${why}`, {
      hint: "Run the command by itself to see what it prints",
      cause,
    });
  throwIfAborted(signal);
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, { args, stdin: "inherit", stdout: "piped", stderr: "inherit", signal })
      .output();
  } catch (error) {
    throwIfAborted(signal);
    throw fail(messageOf(error), error);
  }
  throwIfAborted(signal);
  if (!output.success) throw fail(`it ended with ${output.signal ?? `the exit code ${output.code}`}`);
  return firstLine(output.stdout as Bytes, `the output of ${program}`);
}

async function readSecretFile(path: string, what: "password" | "key"): Promise<Bytes> {
  const limit = LIMITS.passwordFileBytesMax;
  let data: Bytes | undefined, cause: unknown;
  try {
    data = await readBounded(path, limit + 1);
  } catch (error) {
    cause = error;
  }
  if (data === undefined) {
    const why = cause === undefined ? "there is no such file" : messageOf(cause);
    throw new AxiomError("password_missing", `Cannot read the ${what} file ${path}: ${why}`, {
      hint: "Check the path and that you may read it",
      cause,
    });
  }
  if (data.length <= limit) return data;
  throw new AxiomError("usage", `Cannot use the ${what} file ${path}: it has more than ${limit} bytes`);
}

function firstLine(data: Bytes, what: string): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(data);
  } catch {
    throw new AxiomError("usage", `Cannot use ${what} as a password: it is not UTF-8`, {
      hint: "Use a key file for bytes that are no text",
    });
  }
  const line = text.split("\n", 1)[0].replace(/\r$/, "");
  if (line !== "") return line;
  throw new AxiomError("password_missing", `Cannot use ${what} as a password: its first line is empty`);
}
