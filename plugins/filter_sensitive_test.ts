import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { utf8 } from "../src/base/bytes.ts";
import { type FilterEntry, filterInput } from "../src/plugins/filter_entries.ts";
import { withPlugin } from "./opened.ts";

const file = (path: string, content = ""): FilterEntry => ({
  kind: "file",
  mode: 0o600,
  sizeBytes: content.length,
  modifiedNs: 0n,
  path: utf8(path),
  firstBytes: utf8(content),
});

const begin = (what: string) => `-----BEGIN ${what}-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n`;

const LEFT_OUT = [
  file("home/ann/.ssh/id_ed25519"),
  file("ID_RSA"),
  file("app/.env"),
  file("app/.env.production"),
  file(".aws/credentials"),
  file("home/ann/.kube/config"),
  file("certificates/site.p12"),
  file("site.pem", begin("PRIVATE KEY")),
  file("notes.txt", `first line\n${begin("OPENSSH PRIVATE KEY")}`),
  file("deploy.sh", "export TOKEN=ghp_0123456789abcdefghijABCDEFGHIJ012345\n"),
  file("config.ini", "key = AKIAIOSFODNN7EXAMPLE\n"),
];

const SAVED = [
  file("home/ann/.ssh/id_ed25519.pub"),
  file("app/.env.example"),
  file("environment.txt"),
  file("slides.key"),
  file("passwords.kdbx"),
  file("credentials"),
  file("my.aws/credentials"),
  file("site.pem", begin("CERTIFICATE")),
  file("readme.md", "Tokens begin with ghp_ or AKIA, as in ghp_short.\n"),
  file("random.txt", "xxAKIAIOSFODNN7EXAMPLE"),
  { ...file("app/.env"), kind: "folder" as const },
];

async function verdicts(entries: FilterEntry[], configuration = {}): Promise<string[]> {
  let saved: string[] = [];
  await withPlugin("filter_sensitive", { configuration }, async ({ pool }) => {
    const { output } = await pool.call({
      verb: "execute",
      operation: "select",
      parameters: { entries: entries.length },
      input: filterInput(entries),
      outputBytesMax: entries.length,
    });
    saved = entries.filter((_, i) => output[i] === 1).map(({ path }) => new TextDecoder().decode(path));
  });
  return saved;
}

const names = (entries: FilterEntry[]) => entries.map(({ path }) => new TextDecoder().decode(path));

Deno.test("filter_sensitive leaves out what is a secret, and nothing that only sounds like one", async () => {
  deepEqual(await verdicts([...LEFT_OUT, ...SAVED]), names(SAVED));
});

Deno.test("filter_sensitive saves what its configuration names", async () => {
  const configuration = { env_files: false, keep: ["site.p12"] };
  deepEqual(await verdicts(LEFT_OUT, configuration), ["app/.env", "app/.env.production", "certificates/site.p12"]);
});
