import { DEFAULT_KDF } from "../model/kdf_parameters.ts";

/** What `--kdf` and `init.kdf` name. */
export const KDF_BY_NAME = {
  argon2id: DEFAULT_KDF.argon2id,
  pbkdf2: DEFAULT_KDF["pbkdf2-hmac-sha256"],
};
