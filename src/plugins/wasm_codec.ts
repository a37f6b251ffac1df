import { type Bytes, KIB } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Codec } from "../stages/codec.ts";
import type { InstancePool } from "./instance_pool.ts";
import type { PluginManifest } from "./manifest.ts";
import { nameOfPlugin, PluginFailure } from "./plugin_failure.ts";

/** A codec may make more of what cannot be compressed, but not without end. */
function encodedBytesMax(plainLength: number): number {
  return plainLength + (plainLength >>> 3) + 64 * KIB;
}

/** What its configuration says of `level`; a codec without levels has level 0 alone. Throws `plugin_refused` for nonsense. */
export function levelsOf(
  { pluginId, configSchema }: Pick<PluginManifest, "pluginId" | "configSchema">,
): Codec["levels"] {
  const { properties = {} } = configSchema as { properties?: Record<string, Record<string, unknown>> };
  const level = properties.level;
  if (level === undefined) return { minimum: 0, maximum: 0, default: 0 };
  const { minimum = 1, maximum = minimum, default: usual = minimum } = level as Record<string, number>;
  if ([minimum, usual, maximum].every(Number.isInteger) && minimum <= usual && usual <= maximum) {
    return { minimum, maximum, default: usual };
  }
  const range = `${minimum} to ${maximum} with ${usual} as the default`;
  throw new AxiomError("plugin_refused", `Cannot use ${pluginId}: its levels are ${range}`, {
    hint: "This is for the plugin's author to correct: config_schema.properties.level",
  });
}

/**
 * A plugin of the category compression as a stage.
 *
 * Where a plugin fails by its own fault while it decodes, nothing is said of the data: only an answer `corrupt_data` or
 * `invalid_input`, or a wrong length, makes it `data_damaged`.
 *
 * @param isInputGiven What is to be encoded or decoded is taken away from the caller, which saves a copy
 */
export function wasmCodec(pool: InstancePool, manifest: PluginManifest, isInputGiven = false): Codec {
  const { plugin } = pool.settings;
  const levels = levelsOf(manifest);
  return {
    pluginId: plugin.pluginId,
    version: plugin.version,
    formatId: manifest.formatId!,
    decoder: plugin.sha256,
    levels,
    async encode(plain, level) {
      if (!Number.isInteger(level) || level < levels.minimum || level > levels.maximum) {
        throw new RangeError(`Not a level of ${plugin.pluginId}: ${level}`);
      }
      const parameters = { level, plain_length: plain.length };
      const outputBytesMax = encodedBytesMax(plain.length);
      const call = {
        verb: "execute",
        operation: "encode",
        parameters,
        input: plain,
        isInputGiven,
        outputBytesMax,
      } as const;
      return (await pool.call(call)).output;
    },
    async decode(stored, plainLength) {
      const output = await decoded(pool, stored, plainLength, isInputGiven);
      if (output.length === plainLength) return output;
      throw damaged(pool, `it holds ${output.length} bytes instead of ${plainLength}`);
    },
  };
}

async function decoded(pool: InstancePool, stored: Bytes, plainLength: number, isInputGiven: boolean): Promise<Bytes> {
  const parameters = { plain_length: plainLength };
  try {
    const call = {
      verb: "execute",
      operation: "decode",
      parameters,
      input: stored,
      isInputGiven,
      outputBytesMax: plainLength,
    } as const;
    return (await pool.call(call)).output;
  } catch (error) {
    if (!(error instanceof PluginFailure)) throw error;
    if (error.failure === "corrupt_data" || error.failure === "invalid_input") {
      throw damaged(pool, error.message, error);
    }
    if (error.failure === "quota" && error.wasStopped) {
      throw damaged(pool, `it holds more than ${plainLength} bytes`, error);
    }
    throw error;
  }
}

function damaged(pool: InstancePool, why: string, cause?: unknown): AxiomError {
  return new AxiomError(
    "data_damaged",
    `Cannot decompress a frame with ${nameOfPlugin(pool.settings.plugin)}: ${why}`,
    {
      cause,
    },
  );
}
