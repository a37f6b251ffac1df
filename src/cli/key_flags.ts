import type { KdfParameters } from "../model/kdf_parameters.ts";
import { AxiomError } from "../base/errors.ts";
import type { App } from "./app.ts";
import type { Flag, FlagValues } from "./command.ts";
import { KDF_BY_NAME } from "./kdf_names.ts";
import type { Secret } from "../repository/secret.ts";

/** The secret that a new slot is for. */
export const NEW_SECRET_FLAGS = [
  {
    long: "new-password-file",
    type: "file",
    description: "Read the new password from the first line of this file; else it is asked on the terminal",
  },
  {
    long: "new-password-command",
    type: "text",
    placeholder: "command",
    description: "Read the new password from what this command prints",
  },
  {
    long: "new-key-file",
    type: "file",
    description: "Let this file of random bytes open the repository instead of a password",
  },
  {
    long: "kdf",
    type: "choice",
    choices: ["argon2id", "pbkdf2"],
    option: "init.kdf",
    description: "Function that makes a key from the password",
  },
  { long: "label", type: "text", description: "Name that `axiom key list` shows" },
] as const satisfies readonly Flag[];

export interface NewSlotChoice {
  source: { passwordFile?: string; passwordCommand?: string; keyFile?: string };
  label: string | undefined;
}

export function newSlotChoice(values: FlagValues<typeof NEW_SECRET_FLAGS>): NewSlotChoice {
  const given = (["new-password-file", "new-password-command", "new-key-file"] as const).filter((name) => values[name]);
  if (given.length > 1) {
    throw new AxiomError("usage", `Cannot use --${given[0]} and --${given[1]} together`, {
      hint: "Leave one of them out",
    });
  }
  const source = {
    passwordFile: values["new-password-file"],
    passwordCommand: values["new-password-command"],
    keyFile: values["new-key-file"],
  };
  return { source, label: values.label };
}

/** Asks for it where no flag says it. */
export async function newSlot(
  app: App,
  { source, label }: NewSlotChoice,
): Promise<{ secret: Secret; kdf: KdfParameters | undefined; label: string | undefined }> {
  const secret = await app.newSecret(source);
  const kdf = secret.kind === "key_file" ? undefined : KDF_BY_NAME[app.config.init.kdf];
  return { secret, kdf, label };
}
