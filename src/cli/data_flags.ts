import { toHex } from "../base/bytes.ts";
import { AxiomError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { ReadSubset } from "../config/choices.ts";
import type { FlagSetting } from "../config/load.ts";
import type { DataSelection } from "../operations/data_selection.ts";
import type { Flag, FlagValues } from "./command.ts";
import { flagSettings } from "./flag_settings.ts";

const SEED_BYTES = 8;

export const DATA_FLAGS = [
  {
    long: "read-data",
    type: "boolean",
    option: "check.read_data",
    description: "Read every stored byte and verify it",
  },
  {
    long: "read-data-subset",
    type: "text",
    placeholder: "n/t, percent or size",
    option: "check.read_data_subset",
    description: "The same for a part such as 1/7, a random share such as 5%, or a size such as 2 GiB",
  },
  { long: "seed", type: "text", description: "Draw the random share again that a run before has named" },
] as const satisfies readonly Flag[];

/** The flags' settings; each of the two takes the place of the other in the configuration. */
export function dataSettings(values: FlagValues<typeof DATA_FLAGS>): FlagSetting[] {
  const settings = flagSettings(DATA_FLAGS, values);
  if (settings.length !== 1) return settings;
  const [{ path, flag }] = settings;
  const other = path === "check.read_data"
    ? { path: "check.read_data_subset", values: [] }
    : { path: "check.read_data", values: ["false"] };
  return [...settings, { ...other, flag }];
}

export interface DataChoice {
  readData: boolean;
  readDataSubset?: ReadSubset;
}

/** Undefined to read no data. Throws `usage` where two things are asked for. */
export function dataSelection(
  { readData, readDataSubset: subset }: DataChoice,
  seed: string | undefined,
  random: Random,
): DataSelection | undefined {
  if (readData && subset !== undefined) {
    throw new AxiomError("usage", "Cannot read all data and only a part of it", {
      hint: "Leave out --read-data or --read-data-subset",
    });
  }
  if (seed !== undefined && (readData || subset === undefined || subset.kind === "part")) {
    throw new AxiomError("usage", "Cannot use --seed: nothing is drawn at random", {
      hint: "Give --read-data-subset with a share such as 5% or a size such as 2 GiB too",
    });
  }
  if (readData) return { kind: "all" };
  if (subset === undefined) return undefined;
  const drawn = seed ?? toHex(random(SEED_BYTES));
  switch (subset.kind) {
    case "part":
      return { kind: "part", part: subset.part, of: subset.parts };
    case "percent":
      return { kind: "percent", percent: subset.percent, seed: drawn };
    case "size":
      return { kind: "bytes", bytes: subset.bytes, seed: drawn };
  }
}
