import { match, ok, rejects, strictEqual as equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { utf8 } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import { systemRandom } from "../base/random.ts";
import { generateKey, sign } from "./minisign.ts";
import { formatSignature, keyName, publicKeyText } from "./minisign_format.ts";
import { judge, type SignaturePolicy, type SignedPlugin, signedStatement, type Trust } from "./trust.ts";

const BYTES = utf8("a module"), OTHER = utf8("another module");
const hashOf = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const NAME = { pluginId: "compression_lz4", version: "1.4.0", sha256: hashOf(BYTES) };

const author = await generateKey(systemRandom);
const stranger = await generateKey(systemRandom);
const namesake = { ...await generateKey(systemRandom), keyId: author.keyId };
const KEY = publicKeyText(author), ID = keyName(author.keyId);

async function signed(data = BYTES, comment = signedStatement(NAME), key = author): Promise<string> {
  return formatSignature(await sign(data, key, comment));
}

const GOOD = await signed();
const key = (prefix: string, text = KEY) => ({ prefix, key: text });

/** What each policy makes of it: trusted, let pass with a doubt, let pass in silence, or refused. */
type Outcome = "trusted" | "doubt" | "silent" | "refused";

interface Case {
  name: string;
  signature: string | undefined;
  trustedKeys?: Trust["trustedKeys"];
  revoked?: string[];
  outcomes: Record<SignaturePolicy, Outcome>;
  reason?: RegExp;
}

const TRUSTED = { require: "trusted", warn: "trusted", off: "trusted" } as const;
const DOUBTFUL = { require: "refused", warn: "doubt", off: "silent" } as const;
const FORGED = { require: "refused", warn: "refused", off: "silent" } as const;
const REVOKED = { require: "refused", warn: "refused", off: "refused" } as const;

const CASES: Case[] = [
  { name: "by a trusted key", signature: GOOD, outcomes: TRUSTED },
  { name: "by a key for all ids", signature: GOOD, trustedKeys: [key("")], outcomes: TRUSTED },
  { name: "not signed", signature: undefined, outcomes: DOUBTFUL, reason: /not signed/ },
  {
    name: "by a stranger",
    signature: await signed(BYTES, undefined, stranger),
    outcomes: DOUBTFUL,
    reason: /not trusted/,
  },
  {
    name: "by a key for other ids",
    signature: GOOD,
    trustedKeys: [key("storage_"), key("filter_")],
    outcomes: DOUBTFUL,
    reason: /only for ids that begin with "storage_" or "filter_"/,
  },
  { name: "of other bytes", signature: await signed(OTHER), outcomes: FORGED, reason: /does not match the file/ },
  {
    name: "by a key that took the id of a trusted one",
    signature: await signed(BYTES, undefined, namesake),
    outcomes: FORGED,
    reason: /does not match the file/,
  },
  {
    name: "by the second of two keys of one id",
    signature: GOOD,
    trustedKeys: [key("", publicKeyText(namesake)), key("compression_")],
    outcomes: TRUSTED,
  },
  {
    name: "with a comment that was changed",
    signature: GOOD.replace("1.4.0", "1.5.0"),
    outcomes: FORGED,
    reason: /comment was changed/,
  },
  {
    name: "of another version",
    signature: await signed(BYTES, signedStatement({ ...NAME, version: "1.3.9" })),
    outcomes: FORGED,
    reason: /for something else: "axiom:1 compression_lz4@1\.3\.9 /,
  },
  {
    name: "of another id",
    signature: await signed(BYTES, signedStatement({ ...NAME, pluginId: "compression_xz" })),
    outcomes: FORGED,
    reason: /for something else/,
  },
  {
    name: "with minisign's own comment",
    signature: await signed(BYTES, "timestamp:1\tfile:x".replace("\t", " ")),
    outcomes: FORGED,
    reason: /for something else/,
  },
  { name: "no signature at all in it", signature: "hello", outcomes: FORGED, reason: /cannot be read/ },
  { name: "of a revoked hash", signature: GOOD, revoked: [NAME.sha256], outcomes: REVOKED, reason: /hash was revoked/ },
  { name: "not signed, of a revoked hash", signature: undefined, revoked: [NAME.sha256], outcomes: REVOKED },
  {
    name: "by a revoked key",
    signature: GOOD,
    revoked: [ID],
    outcomes: REVOKED,
    reason: /key [0-9A-F]{16} was revoked/,
  },
];

Deno.test("judge() says of each signature what each policy makes of it", async (t) => {
  for (const { name, signature, trustedKeys = [key("compression_")], revoked = [], outcomes, reason } of CASES) {
    for (const [policy, outcome] of Object.entries(outcomes) as [SignaturePolicy, Outcome][]) {
      await t.step(`${name}, ${policy}`, async () => {
        const plugin: SignedPlugin = { ...NAME, bytes: BYTES, signature };
        const verdict = judge(plugin, { policy, trustedKeys, revoked });
        if (outcome === "refused") {
          await rejects(verdict, (error) => {
            ok(error instanceof AxiomError && error.kind === "plugin_refused" && error.hint !== undefined);
            match(error.message, /^Cannot trust the plugin compression_lz4 1\.4\.0 \(sha256 [0-9a-f]{12}\): /);
            match(error.message, reason ?? /./);
            return true;
          });
          return;
        }
        const { signer, doubt } = await verdict;
        equal(signer, outcome === "trusted" ? KEY : undefined);
        if (outcome === "doubt") match(doubt ?? "none", reason ?? /./);
        else equal(doubt, undefined);
      });
    }
  }
});
