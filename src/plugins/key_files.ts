import { fromUtf8, utf8 } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { readBounded } from "../platform/read_bounded.ts";
import {
  formatPublicKey,
  formatSecretKey,
  formatSignature,
  parsePublicKey,
  parseSecretKey,
  type PublicKey,
  publicKeyText,
  type SecretKey,
  type Signature,
} from "./minisign_format.ts";

export interface KeyFiles {
  readonly secretPath: string;
  readonly publicPath: string;
}

/** Writes `<name>.key`, which this user alone may read, and `<name>.pub`. Replaces nothing. */
export async function writeKeyPair(name: string, key: SecretKey): Promise<KeyFiles> {
  const files = { secretPath: `${name}.key`, publicPath: `${name}.pub` };
  await writeNew(files.secretPath, formatSecretKey(key), 0o600);
  try {
    await writeNew(files.publicPath, formatPublicKey(key), 0o644);
  } catch (error) {
    await Deno.remove(files.secretPath).catch(() => {}); // the first failure is the one to tell
    throw error;
  }
  return files;
}

export async function readSecretKey(path: string): Promise<SecretKey> {
  return await read(
    path,
    "secret key",
    parseSecretKey,
    "`axiom plugin keygen` makes one that can be used; `minisign -C -W -s <copy>` takes the password away from a copy",
  );
}

/** From a file, or as its one line of text, `RW…`. */
export async function readPublicKey(pathOrText: string): Promise<PublicKey> {
  try {
    const key = parsePublicKey(pathOrText);
    if (publicKeyText(key) === pathOrText) return key;
  } catch {
    // A path.
  }
  return await read(
    pathOrText,
    "public key",
    parsePublicKey,
    "Give the .pub file of its author, or the line in it that begins with RW",
  );
}

async function read<T>(path: string, what: string, parse: (text: string) => T, hint: string): Promise<T> {
  const fail = (why: string, cause?: unknown) =>
    new AxiomError("usage", `Cannot use the ${what} ${displayName(path)}: ${why}`, { hint, cause });
  try {
    const data = await readBounded(path, LIMITS.signatureFileBytesMax);
    if (data === undefined) throw fail("there is no such file");
    return parse(fromUtf8(data));
  } catch (error) {
    if (error instanceof AxiomError) throw error;
    throw fail(error instanceof TypeError ? "it is not text" : messageOf(error), error);
  }
}

/** Writes `<path>.minisig`, whose path it returns; replaces an older one. */
export async function writeSignature(path: string, signature: Signature): Promise<string> {
  const target = `${path}.minisig`, temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    await Deno.writeTextFile(temporary, formatSignature(signature), { createNew: true });
    await Deno.rename(temporary, target);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // the first failure is the one to tell
    throw new AxiomError(
      "target_unwritable",
      `Cannot write the signature ${displayName(target)}: ${messageOf(error)}`,
      {
        hint: "Copy the plugin to a folder where you may write",
        cause: error,
      },
    );
  }
  return target;
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const file = await Deno.open(path, { write: true, createNew: true, mode });
    try {
      const data = utf8(text);
      for (let at = 0; at < data.length;) at += await file.write(data.subarray(at));
      await file.sync();
    } finally {
      file.close();
    }
  } catch (error) {
    const taken = error instanceof Deno.errors.AlreadyExists;
    throw new AxiomError(
      "target_unwritable",
      `Cannot write the key ${displayName(path)}: ${taken ? "there is a file of that name" : messageOf(error)}`,
      {
        hint: taken ? "Choose another name; a key that was lost cannot be made again" : "Choose another place",
        cause: error,
      },
    );
  }
}
