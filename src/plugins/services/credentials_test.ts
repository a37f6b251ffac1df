import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { credentialFor, credentialOf } from "./credentials.ts";

Deno.test("a line of credentials is a user with a password, or a header", () => {
  const cases = [
    ["user:pass:word", "Basic dXNlcjpwYXNzOndvcmQ="],
    ["Bearer abc:def", "Bearer abc:def"],
    ["üser:pässwörd", "Basic w7xzZXI6cMOkc3N3w7ZyZA=="],
  ];
  for (const [line, header] of cases) {
    const credential = credentialOf(line);
    equal(credential.header, header);
    equal(credential.secrets.includes(line), true);
  }
  deepEqual(credentialOf("u:s3cret%").secrets, [
    "Basic dTpzM2NyZXQl",
    "u:s3cret%",
    "dTpzM2NyZXQl",
    "s3cret%",
    "s3cret%25",
  ]);
});

Deno.test("credentials are those of one plugin for one host and port, read when they are needed", async () => {
  const file = await Deno.makeTempFile();
  try {
    const given = [{ pluginId: "storage_dav", host: "dav.example", port: 443, file }];
    await Deno.writeTextFile(file, "u:one\nmore");
    equal((await credentialFor(given, "storage_dav", "dav.example", 443))?.header, "Basic dTpvbmU=");
    await Deno.writeTextFile(file, "u:two");
    equal((await credentialFor(given, "storage_dav", "dav.example", 443))?.header, "Basic dTp0d28=");
    equal(await credentialFor(given, "storage_other", "dav.example", 443), undefined);
    equal(await credentialFor(given, "storage_dav", "dav.example", 80), undefined);
    equal(await credentialFor(given, "storage_dav", "evil.example", 443), undefined);
  } finally {
    await Deno.remove(file);
  }
  const gone = [{ pluginId: "storage_dav", host: "dav.example", port: 443, file }];
  await rejects(
    credentialFor(gone, "storage_dav", "dav.example", 443),
    /the credentials for dav\.example cannot be read/,
  );
});
