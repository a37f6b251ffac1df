import { type Bytes, fromUtf8 } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { displayName } from "../base/names.ts";
import { readBounded } from "../platform/read_bounded.ts";
import { readPluginFile } from "./plugin_file.ts";
import { type PluginBytes, sha256Of } from "./plugin_folder.ts";

/**
 * A plugin that a person names, with its signature.
 *
 * @param signaturePath Must be there; otherwise `<path>.minisig` is read if there is one
 */
export async function readSignedPlugin(path: string, signaturePath?: string): Promise<PluginBytes & { name: string }> {
  const { name, data } = await readPluginFile(path);
  const signature = await readSignature(signaturePath ?? `${path}.minisig`);
  if (signature === undefined && signaturePath !== undefined) throw failed(signaturePath, "there is no such file");
  return { name, bytes: data, sha256: sha256Of(data), signature };
}

/** What is too long, or not UTF-8, is no signature either: its reader says so. */
async function readSignature(path: string): Promise<string | undefined> {
  let data: Bytes | undefined;
  try {
    data = await readBounded(path, LIMITS.signatureFileBytesMax);
  } catch (error) {
    throw failed(path, messageOf(error), error);
  }
  try {
    return data && fromUtf8(data);
  } catch {
    return "";
  }
}

function failed(path: string, why: string, cause?: unknown): AxiomError {
  return new AxiomError("path_missing", `Cannot read the signature ${displayName(path)}: ${why}`, {
    hint: "Check the path and that you may read it",
    cause,
  });
}
