import { deepStrictEqual as deepEqual, match, rejects, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { failed } from "../../tests/fixtures/tampering.ts";
import { systemRandom } from "../base/random.ts";
import { userIds } from "../platform/host.ts";
import { loadPlugin, rollBackPlugin, setGrants, takeGrants, unloadPlugin } from "./installed.ts";
import { generateKey, sign } from "./minisign.ts";
import { formatSignature, keyName, publicKeyText, type SecretKey } from "./minisign_format.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { type PluginBytes, type PluginFolder, pluginFolder, sha256Of } from "./plugin_folder.ts";
import { standingOf } from "./standing.ts";
import { signedStatement, type Trust } from "./trust.ts";
import { pluginModule } from "./wasm_fixture.ts";

userIds(); // loads the C library once, outside of every test

const author = await generateKey(systemRandom), other = await generateKey(systemRandom);
const trust: Trust = {
  policy: "warn",
  trustedKeys: [author, other].map((key) => ({ prefix: "", key: publicKeyText(key) })),
  revoked: [],
};
const LOAD = { replaces: false }, REPLACE = { replaces: true };
const CLOCK = { name: "clock" } as const, KV = { name: "kv" } as const;

interface Made {
  id?: string;
  capabilities?: { name: string }[];
  dependencies?: unknown[];
  key?: SecretKey;
}

/** A notification plugin, because that category may have capabilities. */
async function made(
  version: string,
  { id = "notification_one", capabilities = [], dependencies = [], key }: Made = {},
) {
  const manifest = {
    plugin_id: id,
    version,
    category: "notification",
    format_id: undefined,
    capabilities,
    dependencies,
  };
  const bytes = pluginModule({ sections: [manifestSection(manifest)] });
  const sha256 = sha256Of(bytes);
  const statement = signedStatement({ pluginId: id, version, sha256 });
  const signature = key && formatSignature(await sign(bytes, key, statement));
  return { bytes, sha256, signature } satisfies PluginBytes;
}

async function inFolder(run: (folder: PluginFolder) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(pluginFolder(folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a loaded plugin waits for what it asks for, and is ready once that is granted", () =>
  inFolder(async (folder) => {
    const file = await made("1.0.0", { capabilities: [CLOCK, { name: "log" }] });
    const { plugin, missing, doubt } = await loadPlugin(folder, file, trust, LOAD);
    deepEqual(missing, [CLOCK]);
    match(doubt ?? "", /not signed/);
    equal((await standingOf(folder, plugin, trust)).state, "held");
    const granted = await setGrants(folder, plugin, () => [CLOCK]);
    deepEqual(await folder.list(), [granted]);
    equal((await standingOf(folder, granted, trust)).state, "ready");
    await loadPlugin(folder, file, trust, LOAD); // the same bytes again change nothing
    deepEqual(await folder.list(), [granted]);
    await unloadPlugin(folder, "notification_one", { withDependants: false });
    deepEqual(await folder.list(), []);
  }));

Deno.test("another version keeps its grants only if the same trusted key signed both", async (t) => {
  const cases: {
    name: string;
    before?: SecretKey;
    after?: SecretKey;
    asks: { name: string }[];
    grants: unknown[];
    missing: unknown[];
  }[] = [
    { name: "same key", before: author, after: author, asks: [CLOCK], grants: [CLOCK], missing: [] },
    { name: "same key, asks for less", before: author, after: author, asks: [], grants: [CLOCK], missing: [] },
    {
      name: "same key, asks for more",
      before: author,
      after: author,
      asks: [CLOCK, KV],
      grants: [CLOCK],
      missing: [KV],
    },
    { name: "another trusted key", before: author, after: other, asks: [CLOCK], grants: [], missing: [CLOCK] },
    { name: "no longer signed", before: author, asks: [CLOCK], grants: [], missing: [CLOCK] },
    { name: "newly signed", after: author, asks: [CLOCK], grants: [], missing: [CLOCK] },
    { name: "never signed", asks: [CLOCK], grants: [], missing: [CLOCK] },
  ];
  for (const { name, before, after, asks, grants, missing } of cases) {
    await t.step(name, () =>
      inFolder(async (folder) => {
        const old = await loadPlugin(folder, await made("1.0.0", { capabilities: [CLOCK], key: before }), trust, LOAD);
        await setGrants(folder, old.plugin, () => [CLOCK]);
        const file = await made("1.1.0", { capabilities: asks, key: after });
        const loaded = await loadPlugin(folder, file, trust, REPLACE);
        deepEqual(loaded.plugin.grants, grants);
        deepEqual(loaded.missing, missing);
        equal((await standingOf(folder, loaded.plugin, trust)).state, missing.length === 0 ? "ready" : "held");
        equal(loaded.plugin.previous?.version, "1.0.0");
        const back = await rollBackPlugin(folder, "notification_one", trust);
        deepEqual([back.version, back.grants, back.previous?.version], ["1.0.0", [CLOCK], "1.1.0"]);
        equal((await standingOf(folder, back, trust)).state, "ready");
      }));
  }
});

Deno.test("what was taken back does not come back with a rollback", async (t) => {
  for (const names of [["kv"], undefined]) {
    await t.step(names?.join() ?? "all", () =>
      inFolder(async (folder) => {
        const capabilities = [CLOCK, KV];
        const { plugin } = await loadPlugin(folder, await made("1.0.0", { capabilities, key: author }), trust, LOAD);
        await setGrants(folder, plugin, () => [CLOCK, KV]);
        await loadPlugin(folder, await made("1.1.0", { capabilities, key: author }), trust, REPLACE);
        const left = names === undefined ? [] : [CLOCK];
        deepEqual((await takeGrants(folder, "notification_one", names)).grants, left);
        deepEqual((await rollBackPlugin(folder, "notification_one", trust)).grants, left);
      }));
  }
});

Deno.test("load, replace and rollback refuse what is not meant", () =>
  inFolder(async (folder) => {
    const one = await made("1.0.0", { key: author }), two = await made("2.0.0", { key: author });
    await rejects(loadPlugin(folder, one, trust, REPLACE), failed("plugin_missing", /none is installed by that id/));
    const { plugin } = await loadPlugin(folder, one, trust, LOAD);
    await rejects(
      loadPlugin(folder, two, trust, LOAD),
      failed("plugin_refused", /notification_one 1\.0\.0 .* is there/, /plugin replace/),
    );
    await rejects(rollBackPlugin(folder, "notification_one", trust), failed("plugin_missing", /no generation before/));
    await rejects(
      rollBackPlugin(folder, "notification_on", trust),
      failed("plugin_missing", /none is installed/, /mean notification_one/),
    );
    await loadPlugin(folder, two, trust, REPLACE);
    await rejects(setGrants(folder, plugin, () => [CLOCK]), failed("plugin_refused", /replaced meanwhile/));
    const revoked = { ...trust, revoked: [one.sha256] };
    await rejects(rollBackPlugin(folder, "notification_one", revoked), failed("plugin_refused", /hash was revoked/));
    const swapped = { ...one, signature: two.signature };
    await rejects(loadPlugin(folder, swapped, trust, REPLACE), failed("plugin_refused", /signature .* is wrong/));
    deepEqual((await folder.list()).map(({ version }) => version), ["2.0.0"]);
  }));

Deno.test("standingOf() follows the policy, revocations and the disk", () =>
  inFolder(async (folder) => {
    const { plugin } = await loadPlugin(folder, await made("1.0.0", { key: author }), trust, LOAD);
    const bare = (await loadPlugin(folder, await made("1.0.0", { id: "notification_two" }), trust, LOAD)).plugin;
    const required: Trust = { ...trust, policy: "require" };
    equal((await standingOf(folder, plugin, required)).state, "ready");
    equal((await standingOf(folder, bare, trust)).state, "ready");
    match((await standingOf(folder, plugin, { ...required, trustedKeys: [] })).refusal?.message ?? "", /not trusted/);
    await Deno.remove(join(folder.path, "modules", `${plugin.sha256}.wasm.minisig`));
    const cases: [standing: ReturnType<typeof standingOf>, message: RegExp][] = [
      [standingOf(folder, bare, required), /not signed/],
      [standingOf(folder, plugin, required), /not signed/],
      [standingOf(folder, plugin, { ...trust, policy: "off", revoked: [keyName(author.keyId)] }), /was revoked/],
      [standingOf(folder, { ...plugin, sha256: "0".repeat(64) }, trust), /its file is gone/],
    ];
    for (const [standing, message] of cases) {
      const { state, refusal } = await standing;
      equal(state, "refused");
      match(refusal?.message ?? "", message);
    }
  }));

Deno.test("unload refuses while something needs the plugin, or takes it along when told", () =>
  inFolder(async (folder) => {
    const load = async (id: string, ...dependencies: unknown[]) =>
      void await loadPlugin(folder, await made("1.0.0", { id, dependencies }), trust, LOAD);
    await load("hash_one");
    await load("codec_one", "hash_one");
    await load("store_one", { plugin_id: "codec_one", version: "^1" });
    await load("extra_one", { plugin_id: "hash_one", optional: true });
    await rejects(
      unloadPlugin(folder, "hash_one", { withDependants: false }),
      failed("plugin_refused", /hash_one: codec_one, store_one would not work without it/, /--with-dependants/),
    );
    await unloadPlugin(folder, "extra_one", { withDependants: false });
    await load("extra_one", { plugin_id: "hash_one", optional: true });
    const removed = await unloadPlugin(folder, "hash_one", { withDependants: true });
    deepEqual(removed.map(({ pluginId }) => pluginId), ["codec_one", "hash_one", "store_one"]);
    deepEqual((await folder.list()).map(({ pluginId }) => pluginId), ["extra_one"]);
  }));

Deno.test("load refuses a plugin that lacks what it needs, and a version that others cannot use", () =>
  inFolder(async (folder) => {
    const load = async (version: string, id: string, ...dependencies: unknown[]) =>
      void await loadPlugin(folder, await made(version, { id, dependencies }), trust, LOAD);
    const needing = { plugin_id: "hash_one", version: "^1" };
    await rejects(
      load("1.0.0", "codec_one", needing),
      failed("plugin_refused", /codec_one 1\.0\.0 → hash_one \^1: none is installed/, /Load or replace first/),
    );
    await load("1.4.0", "hash_one");
    await load("1.0.0", "codec_one", needing);
    await rejects(
      loadPlugin(folder, await made("2.0.0", { id: "hash_one" }), trust, REPLACE),
      failed("plugin_refused", /codec_one 1\.0\.0 → hash_one \^1: this is 2\.0\.0/),
    );
    equal((await folder.list()).find(({ pluginId }) => pluginId === "hash_one")?.version, "1.4.0");
  }));
