import type { FlagSetting } from "../config/load.ts";
import type { Flag } from "./command.ts";

/** What the flags that were given say about options of the configuration, as that reads it. */
export function flagSettings(flags: readonly Flag[], values: Readonly<Record<string, unknown>>): FlagSetting[] {
  const settings: FlagSetting[] = [];
  for (const { long, option } of flags) {
    const value: unknown = values[long];
    const isGiven = value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
    if (option === undefined || !isGiven) continue;
    settings.push({
      path: option,
      flag: `--${long}`,
      values: Array.isArray(value) ? value.map(String) : [String(value)],
    });
  }
  return settings;
}
