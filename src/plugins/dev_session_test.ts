import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { userIds } from "../platform/host.ts";
import { DevSession } from "./dev_session.ts";
import { loadPlugin, rollBackPlugin, setGrants, takeGrants, unloadPlugin } from "./installed.ts";
import { type PluginBytes, type PluginFolder, pluginFolder, sha256Of } from "./plugin_folder.ts";
import { manifestSection } from "./plugin_fixture.ts";
import { pluginModule } from "./wasm_fixture.ts";

userIds(); // loads libc, which then stays

const TRUST = { policy: "warn", trustedKeys: [], revoked: [] } as const;
const ID = "processing_test";

function file(version: string, names: string[] = ["clock"], pluginId = ID): PluginBytes {
  const about = {
    plugin_id: pluginId,
    version,
    category: "processing",
    format_id: undefined,
    config_schema: undefined,
  };
  const capabilities = names.map((name) => ({ name, reason: "it wants to" }));
  const bytes = pluginModule({ sections: [manifestSection({ ...about, capabilities })] });
  return { bytes, sha256: sha256Of(bytes), signature: undefined };
}

async function inFolder(use: (folder: PluginFolder, session: DevSession) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempDir();
  try {
    const folder = pluginFolder(join(path, "plugins"));
    await use(folder, new DevSession(folder, TRUST, systemClock));
  } finally {
    await Deno.remove(path, { recursive: true });
  }
}

async function install(folder: PluginFolder, version: string): Promise<void> {
  await loadPlugin(folder, file(version), TRUST, { replaces: (await folder.list()).length > 0 });
  await setGrants(folder, { pluginId: ID, ...file(version) }, () => [{ name: "clock" }]);
}

const versions = async (folder: PluginFolder) => (await folder.list()).map(({ version }) => version);

Deno.test("rebuilds have what was granted, though nobody signed them, and ask for what is new", () =>
  inFolder(async (folder, session) => {
    await install(folder, "1.0.0");
    const missing = async (...args: Parameters<typeof file>) => (await session.put(file(...args))).missing.length;
    equal(await missing("1.1.0"), 0);
    equal(await missing("1.2.0", ["clock", "kv"]), 1);
    await setGrants(folder, { pluginId: ID, ...file("1.2.0", ["clock", "kv"]) }, (held) => [...held, { name: "kv" }]);
    equal(await missing("1.3.0", ["clock", "kv"]), 0);
    await rejects(session.put(file("1.4.0", ["sing"])), { kind: "plugin_refused" });
    deepEqual(await versions(folder), ["1.3.0"]);
  }));

Deno.test("what was installed is there again in the end, with the version before it and its grants", () =>
  inFolder(async (folder, session) => {
    await install(folder, "1.0.0");
    await install(folder, "2.0.0");
    const before = await folder.list();
    for (const version of ["2.1.0", "2.2.0", "2.3.0"]) await session.put(file(version));
    deepEqual(await session.restore(), { pluginId: ID, version: "2.0.0", isOthers: false });
    deepEqual(await folder.list(), before);
    equal((await rollBackPlugin(folder, ID, TRUST)).version, "1.0.0");
    equal(await session.restore(), undefined);
  }));

Deno.test("what was taken back meanwhile stays taken back in the end, also for the version before", () =>
  inFolder(async (folder, session) => {
    await install(folder, "1.0.0");
    await install(folder, "2.0.0");
    for (const version of ["2.1.0", "2.2.0"]) await session.put(file(version));
    await takeGrants(folder, ID, ["clock"]);
    await session.restore();
    const [{ version, grants, previous }] = await folder.list();
    deepEqual([version, grants, previous?.version, previous?.grants], ["2.0.0", [], "1.0.0", []]);
  }));

Deno.test("where nothing was, nothing is in the end, and another id begins anew", () =>
  inFolder(async (folder, session) => {
    await session.put(file("1.0.0"));
    await session.put(file("1.0.0", [], "processing_other"));
    deepEqual((await folder.list()).map(({ pluginId }) => pluginId), ["processing_other"]);
    equal((await session.restore())?.version, undefined);
    deepEqual(await folder.list(), []);
  }));

Deno.test("what somebody else did meanwhile stays", () =>
  inFolder(async (folder, session) => {
    await install(folder, "1.0.0");
    await session.put(file("1.1.0"));
    await loadPlugin(folder, file("3.0.0"), TRUST, { replaces: true });
    deepEqual(await session.restore(), { pluginId: ID, version: "3.0.0", isOthers: true });
    deepEqual(await versions(folder), ["3.0.0"]);
    await session.put(file("3.1.0"));
    await unloadPlugin(folder, ID, { withDependants: false });
    deepEqual(await session.restore(), { pluginId: ID, version: undefined, isOthers: true });
  }));
