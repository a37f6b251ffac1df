import { type Bytes, utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { KdfParameters } from "../model/kdf_parameters.ts";

/** What a person has to open a repository. Key files hold random bytes; a password never takes their short way. */
export type Secret = { kind: "password"; password: string } | { kind: "key_file"; bytes: Bytes };

/** A key file of fewer different byte values was not filled at random: 32 random bytes have about 30. */
const KEY_FILE_VALUES_MIN = 8;

/** What goes into the KDF: the password as UTF-8 of its NFC, or the key file. Throws `password_missing` or `usage`. */
export function secretBytes(secret: Secret): Bytes {
  return secret.kind === "password" ? passwordBytes(secret.password) : keyFileBytes(secret.bytes);
}

function passwordBytes(password: string): Bytes {
  if (password === "") {
    throw new AxiomError("password_missing", "Cannot use an empty password", {
      hint: "Give one of at least 12 characters",
    });
  }
  if (!password.isWellFormed()) {
    throw new AxiomError("usage", "Cannot use the password: it is not a Unicode text", {
      hint: "Use a key file for bytes that are no text",
    });
  }
  const bytes = utf8(password.normalize("NFC"));
  if (bytes.length > LIMITS.passwordBytesMax) {
    const limit = LIMITS.passwordBytesMax;
    throw new AxiomError("usage", `Cannot use the password: it has ${bytes.length} bytes, more than ${limit}`);
  }
  return bytes;
}

function keyFileBytes(bytes: Bytes): Bytes {
  const refuse = (why: string) =>
    new AxiomError("usage", `Cannot use the key file: ${why}`, {
      hint: "Make one with `head -c 64 /dev/urandom > key` and keep a copy elsewhere",
    });
  if (bytes.length < LIMITS.keyFileBytesMin) {
    throw refuse(`it has ${bytes.length} bytes, fewer than ${LIMITS.keyFileBytesMin}`);
  }
  if (bytes.length > LIMITS.passwordFileBytesMax) {
    throw refuse(`it has ${bytes.length} bytes, more than ${LIMITS.passwordFileBytesMax}`);
  }
  if (new Set(bytes).size < KEY_FILE_VALUES_MIN) throw refuse("its bytes are not random");
  return bytes;
}

export function takesSecret(kdf: KdfParameters, secret: Secret): boolean {
  return (kdf.algorithm === "hkdf-sha256") === (secret.kind === "key_file");
}
