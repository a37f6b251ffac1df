import { join } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { admit, type AdmittedPlugin } from "../src/plugins/admission.ts";
import type { InstancePool } from "../src/plugins/instance_pool.ts";
import { openPlugin, type OpenSettings } from "../src/plugins/open_plugin.ts";
import { PLUGINS } from "./built.ts";

interface Opened {
  readonly plugin: AdmittedPlugin;
  readonly pool: InstancePool;
}

/** A plugin of this folder as it is built, for as long as `use` takes. */
export async function withPlugin(
  id: string,
  settings: Partial<OpenSettings>,
  use: (opened: Opened) => Promise<void>,
): Promise<void> {
  const plugin = admit(await Deno.readFile(join(PLUGINS, id, `${id}.wasm`)));
  const pool = openPlugin(plugin, { granted: [], configuration: {}, instancesMax: 1, clock: systemClock, ...settings });
  try {
    await use({ plugin, pool });
  } finally {
    await pool.close();
  }
}
