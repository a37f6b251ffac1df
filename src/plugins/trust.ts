/** Whether a plugin's signature is good enough. A signature that is wrong is worse than none: it is refused under `warn`, too. */
import type { Bytes } from "../base/bytes.ts";
import { AxiomError, messageOf } from "../base/errors.ts";
import { signatureFault } from "./minisign.ts";
import {
  keyName,
  parsePublicKey,
  parseSignature,
  type PublicKey,
  publicKeyText,
  type Signature,
} from "./minisign_format.ts";
import { nameOfPlugin, type PluginIdentity } from "./plugin_failure.ts";

export type SignaturePolicy = "require" | "warn" | "off";

export interface Trust {
  readonly policy: SignaturePolicy;
  /** A key signs only plugins whose id begins with `prefix`. */
  readonly trustedKeys: readonly { readonly prefix: string; readonly key: string }[];
  /** Ids of keys in upper case, SHA-256 of plugins in lower case. */
  readonly revoked: readonly string[];
}

export interface SignedPlugin extends PluginIdentity {
  readonly bytes: Bytes;
  /** What `<file>.minisig` holds; undefined where there is none. */
  readonly signature: string | undefined;
  /** Key `RW…` that signed it when it was installed; it may be revoked though its signature is gone. */
  readonly key?: string | null;
}

export interface Verdict {
  /** Public key `RW…` of the trusted signer; undefined where there is none. */
  readonly signer: string | undefined;
  readonly trustedComment?: string;
  /** Why it is not trusted, which the policy lets pass; ends the sentence "The plugin …". */
  readonly doubt?: string;
}

/** What a signer states about a plugin; it must match to the letter. */
export function signedStatement({ pluginId, version, sha256 }: PluginIdentity): string {
  return `axiom:1 ${pluginId}@${version} sha256:${sha256}`;
}

/** Throws `plugin_refused` for what is revoked or forged, and for what the policy does not let pass. */
export async function judge(plugin: SignedPlugin, trust: Trust): Promise<Verdict> {
  if (trust.revoked.includes(plugin.sha256)) throw refused(plugin, "its hash was revoked", REVOKED_HINT);
  const before = plugin.key ? keyName(parsePublicKey(plugin.key).keyId) : undefined;
  const found = before !== undefined && trust.revoked.includes(before)
    ? { revokedKey: before }
    : await examine(plugin, trust);
  if (found.revokedKey !== undefined) throw refused(plugin, `its key ${found.revokedKey} was revoked`, REVOKED_HINT);
  if (found.signer !== undefined) return { signer: found.signer, trustedComment: found.trustedComment };
  if (trust.policy === "off") return { signer: undefined };
  if (found.fault !== undefined) throw refused(plugin, found.fault, "Get both files again from where they come from");
  if (trust.policy === "warn") return { signer: undefined, doubt: found.doubt };
  throw refused(plugin, found.doubt, UNTRUSTED_HINT);
}

const REVOKED_HINT = "Get a newer version; plugins.revoked in the configuration lists what is revoked";
const UNTRUSTED_HINT =
  "Trust the key of its author in plugins.trusted_keys of the configuration, or set plugins.policy";

/** Exactly one of the first four is set. */
interface Examined {
  readonly revokedKey?: string;
  /** A signature that cannot be right. */
  readonly fault?: string;
  /** None, or one by a key that is not trusted with this id. */
  readonly doubt?: string;
  readonly signer?: string;
  readonly trustedComment?: string;
}

async function examine(plugin: SignedPlugin, trust: Trust): Promise<Examined> {
  if (plugin.signature === undefined) return { doubt: "it is not signed" };
  let signature: Signature;
  try {
    signature = parseSignature(plugin.signature);
  } catch (error) {
    return { fault: `its signature cannot be read: ${messageOf(error)}` };
  }
  const name = keyName(signature.keyId);
  if (trust.revoked.includes(name)) return { revokedKey: name };
  const known = trust.trustedKeys.map(({ prefix, key }) => ({ prefix, key: parsePublicKey(key) }))
    .filter(({ key }) => keyName(key.keyId) === name);
  if (known.length === 0) return { doubt: `it is signed with the key ${name}, which is not trusted` };
  return await weigh(plugin, signature, known);
}

/** Two keys may have one id, which anyone can choose. */
async function weigh(
  plugin: SignedPlugin,
  signature: Signature,
  known: readonly { prefix: string; key: PublicKey }[],
): Promise<Examined> {
  const faults = await Promise.all(known.map(({ key }) => signatureFault(plugin.bytes, signature, key)));
  const makers = known.filter((_, at) => faults[at] === undefined);
  const name = keyName(signature.keyId), { trustedComment } = signature;
  if (makers.length === 0) return { fault: `its signature with the key ${name} is wrong: ${faults[0]}` };
  if (trustedComment !== signedStatement(plugin)) {
    return {
      fault: `its signature is for something else: "${trustedComment}" instead of "${signedStatement(plugin)}"`,
    };
  }
  const trusted = makers.find(({ prefix }) => plugin.pluginId.startsWith(prefix));
  if (trusted !== undefined) return { signer: publicKeyText(trusted.key), trustedComment };
  const prefixes = makers.map(({ prefix }) => `"${prefix}"`).join(" or ");
  return { doubt: `it is signed with the key ${name}, which is trusted only for ids that begin with ${prefixes}` };
}

function refused(plugin: PluginIdentity, why: string | undefined, hint: string): AxiomError {
  return new AxiomError("plugin_refused", `Cannot trust the plugin ${nameOfPlugin(plugin)}: ${why}`, { hint });
}
