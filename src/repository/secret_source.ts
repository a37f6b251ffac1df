import { AxiomError } from "../base/errors.ts";
import { keyFromFile, passwordFromCommand, passwordFromFile } from "../platform/secret_input.ts";
import { readPassword } from "../platform/terminal.ts";
import type { Secret } from "./secret.ts";

/** Where a person keeps what opens a repository. */
export type SecretSource =
  | { kind: "given"; password: string }
  | { kind: "file"; path: string }
  | { kind: "command"; command: string }
  | { kind: "key_file"; path: string }
  | { kind: "terminal" };

/** The secret of the repository at `location`. Throws `password_missing`, `usage` and `interrupted`. */
export async function openingSecret(source: SecretSource, location: string, signal?: AbortSignal): Promise<Secret> {
  const secret = await fetched(source, signal);
  return secret ?? { kind: "password", password: asked(`the repository ${location}`) };
}

/**
 * A secret for what is new; on the terminal it is asked twice.
 *
 * @param what For the prompt: `the new key slot`
 */
export async function newSecret(source: SecretSource, what: string, signal?: AbortSignal): Promise<Secret> {
  const secret = await fetched(source, signal);
  if (secret !== undefined) return secret;
  const password = asked(what);
  if (password === readPassword("The same again: ")) return { kind: "password", password };
  throw new AxiomError("usage", `Cannot use the password of ${what}: it was not the same the second time`, {
    hint: "Run the same command again",
  });
}

function asked(what: string): string {
  const password = readPassword(`Password of ${what}: `);
  if (password !== "") return password;
  throw new AxiomError("password_missing", `Cannot use the password of ${what}: it is empty`, {
    hint: "Run the same command again",
  });
}

/** Undefined where it must be asked. */
async function fetched(source: SecretSource, signal?: AbortSignal): Promise<Secret | undefined> {
  switch (source.kind) {
    case "given":
      return { kind: "password", password: source.password };
    case "file":
      return { kind: "password", password: await passwordFromFile(source.path) };
    case "command":
      return { kind: "password", password: await passwordFromCommand(source.command, signal) };
    case "key_file":
      return { kind: "key_file", bytes: await keyFromFile(source.path) };
    case "terminal":
      return undefined;
  }
}
