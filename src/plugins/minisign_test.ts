import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal, throws } from "node:assert/strict";
import { join } from "node:path";
import { fromBase64, toBase64, utf8 } from "../base/bytes.ts";
import { systemRandom } from "../base/random.ts";
import { generateKey, sign, signatureFault } from "./minisign.ts";
import {
  formatPublicKey,
  formatSecretKey,
  formatSignature,
  keyName,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  publicKeyText,
} from "./minisign_format.ts";

const DATA = utf8("hello\n");
const COMMENT = "axiom:1 compression_lz4@1.4.0 sha256:00";

/** Made by minisign 0.11: `minisign -G -W`, then `minisign -S -t "axiom:1 a@1"` of the file above. */
const PUBLIC = "untrusted comment: minisign public key 8CB936DB57919BC3\n" +
  "RWTDm5FX2za5jK/PICYO4BWslIjDuTc9GR48asjcMeyD3okl4oqrBThB\n";
const SECRET = "untrusted comment: minisign encrypted secret key\n" +
  "RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAw5uRV9s2uYwjzGv90OAFLqaeGevEDo34BcWav4kfUVxD" +
  "//pqfh48+K/PICYO4BWslIjDuTc9GR48asjcMeyD3okl4oqrBThBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
const SIGNATURE = "untrusted comment: signature from minisign secret key\n" +
  "RUTDm5FX2za5jIlpX6ZXMcyoJLiII0v3auSOE2CoQjDAq1TM4XuMBiw/4ooOH4zYHHNZg7OfHq6qdBVzWG3P3DArm3U3os79Ew4=\n" +
  "trusted comment: axiom:1 a@1\n" +
  "MhzD3Ydpu59Vfr0aJq/+gJOGDDVSUGf2DfmS1zziNQsRKZfeAKs3ILYO4s4sSrs7ApwXGHv6+ZvHd8/f1+2gBg==\n";

Deno.test("what minisign made is read, verified, and signed with to the same bytes", async () => {
  const key = parsePublicKey(PUBLIC);
  equal(keyName(key.keyId), "8CB936DB57919BC3");
  equal(await signatureFault(DATA, parseSignature(SIGNATURE), key), undefined);
  const made = await sign(DATA, parseSecretKey(SECRET), "axiom:1 a@1");
  deepEqual(made, parseSignature(SIGNATURE));
});

Deno.test("a key pair and a signature survive their files", async () => {
  const secret = await generateKey(systemRandom);
  const { seed: _, ...key } = secret;
  deepEqual(parseSecretKey(formatSecretKey(secret)), secret);
  deepEqual(parsePublicKey(formatPublicKey(secret)), key);
  deepEqual(parsePublicKey(publicKeyText(secret)), key);
  match(publicKeyText(secret), /^RW[A-Za-z0-9+/]{54}$/);
  const signature = await sign(DATA, secret, COMMENT);
  deepEqual(parseSignature(formatSignature(signature).replaceAll("\n", "\r\n")), signature);
  equal(await signatureFault(DATA, signature, key), undefined);
});

Deno.test("every changed bit of a signature, and of the file, is noticed", async () => {
  const key = parsePublicKey(PUBLIC), signature = parseSignature(SIGNATURE);
  const flipped = (data: Uint8Array, bit: number) => {
    const copy = new Uint8Array(data);
    copy[bit >> 3] ^= 1 << (bit & 7);
    return copy;
  };
  for (const name of ["keyId", "signature", "globalSignature"] as const) {
    for (let bit = 0; bit < 8 * signature[name].length; bit++) {
      const changed = { ...signature, [name]: flipped(signature[name], bit) };
      match(await signatureFault(DATA, changed, key) ?? "unnoticed", /another key|match the file|comment was changed/);
    }
  }
  for (let bit = 0; bit < 8 * DATA.length; bit++) {
    equal(await signatureFault(flipped(DATA, bit), signature, key), "it does not match the file");
  }
  const renamed = { ...signature, trustedComment: "axiom:1 a@2" };
  equal(await signatureFault(DATA, renamed, key), "its trusted comment was changed");
});

Deno.test("a file that is none of minisign's is refused with the reason", async (t) => {
  const line = (text: string, change: (data: Uint8Array) => void, at = 1) => {
    const lines = text.split("\n");
    const data = fromBase64(lines[at]);
    change(data);
    lines[at] = toBase64(data);
    return lines.join("\n");
  };
  const cases: [name: string, parse: (text: string) => unknown, text: string, reason: RegExp][] = [
    ["empty", parseSignature, "", /expected 4 lines, found 0/],
    [
      "no comment",
      parseSignature,
      SIGNATURE.replace("untrusted", "unknown"),
      /does not begin with "untrusted comment:"/,
    ],
    ["no trusted comment", parseSignature, SIGNATURE.replace("\ntrusted", "\nother"), /third line/],
    ["not prehashed", parseSignature, line(SIGNATURE, (data) => data[1] = 0x64), /of the old kind/],
    ["unknown algorithm", parseSignature, line(SIGNATURE, (data) => data[0] = 0xff), /algorithm/],
    ["short", parseSignature, SIGNATURE.replace(/RUT.*/, "RUTD"), /too short/],
    ["not base64", parseSignature, SIGNATURE.replace(/RUT.*/, "!"), /not base64/],
    ["spare bits", parseSignature, SIGNATURE.replace("gBg==", "gBh=="), /not canonical/],
    ["control characters", parseSignature, SIGNATURE.replace("a@1", "a@1\x1b[2J"), /control/],
    ["long comment", parseSignature, SIGNATURE.replace("a@1", "a".repeat(9000)), /too long/],
    ["a secret key as a public one", parsePublicKey, SECRET, /too long/],
    ["a signature as a public key", parsePublicKey, SIGNATURE, /expected 2 lines, found 4/],
    ["a public key as a secret one", parseSecretKey, PUBLIC, /password|too short|no secret key/],
    [
      "protected by a password",
      parseSecretKey,
      line(SECRET, (data) => data.set(utf8("Sc"), 2)),
      /password protects it/,
    ],
  ];
  for (const [name, parse, text, reason] of cases) {
    await t.step(
      name,
      () => throws(() => parse(text), (error) => error instanceof RangeError && reason.test(error.message)),
    );
  }
  const secret = parseSecretKey(SECRET);
  await rejects(sign(DATA, { ...secret, seed: new Uint8Array(32) }, COMMENT), /halves/);
  await rejects(sign(DATA, secret, "two\nlines"), /control/);
});

async function minisign(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command("minisign", { args, stdin: "null" }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

function isInstalled(): boolean {
  try {
    return new Deno.Command("minisign", { args: ["-v"], stdout: "null", stderr: "null" }).outputSync().code === 0;
  } catch {
    return false;
  }
}

Deno.test({
  name: "files go both ways between minisign and this program (skipped where minisign is not installed)",
  ignore: !isInstalled(),
  fn: async (t) => {
    const folder = await Deno.makeTempDir();
    const at = (name: string) => join(folder, name);
    try {
      await Deno.writeFile(at("file"), DATA);
      await t.step("ours is verified there", async () => {
        const secret = await generateKey(systemRandom);
        await Deno.writeTextFile(at("ours.pub"), formatPublicKey(secret));
        await Deno.writeTextFile(at("file.minisig"), formatSignature(await sign(DATA, secret, COMMENT)));
        const { code, text } = await minisign("-V", "-p", at("ours.pub"), "-m", at("file"));
        equal(code, 0, text);
        match(
          text,
          /Signature and comment signature verified\nTrusted comment: axiom:1 compression_lz4@1\.4\.0 sha256:00/,
        );
        await Deno.writeTextFile(at("ours.key"), formatSecretKey(secret));
        const signed = await minisign("-S", "-s", at("ours.key"), "-m", at("file"), "-t", COMMENT);
        equal(signed.code, 0, signed.text);
        const signature = parseSignature(await Deno.readTextFile(at("file.minisig")));
        equal(await signatureFault(DATA, signature, secret), undefined);
      });
      await t.step("theirs is verified here", async () => {
        const made = await minisign("-G", "-W", "-p", at("theirs.pub"), "-s", at("theirs.key"));
        equal(made.code, 0, made.text);
        const signed = await minisign("-S", "-s", at("theirs.key"), "-m", at("file"), "-t", COMMENT);
        equal(signed.code, 0, signed.text);
        const key = parsePublicKey(await Deno.readTextFile(at("theirs.pub")));
        const signature = parseSignature(await Deno.readTextFile(at("file.minisig")));
        equal(signature.trustedComment, COMMENT);
        equal(await signatureFault(DATA, signature, key), undefined);
        const ours = await sign(DATA, parseSecretKey(await Deno.readTextFile(at("theirs.key"))), COMMENT);
        deepEqual(ours, signature);
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
