import type { LoadedConfig } from "./load.ts";
import { OPTION_BY_PATH } from "./schema.ts";

export interface OptionValue {
  /** Such as `backup.exclude_caches`. */
  path: string;
  value: unknown;
  /** As {@linkcode LoadedConfig.origin}. */
  origin: string;
}

/** Every option with its value, in the order of the table. */
export function optionValues({ config, origin }: LoadedConfig): OptionValue[] {
  return [...OPTION_BY_PATH.keys()].map((path) => ({ path, value: valueAt(config, path), origin: origin(path) }));
}

function valueAt(config: unknown, path: string): unknown {
  let value = config;
  for (const name of path.split(".")) {
    const key = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
