/**
 * What a client must know before it may touch a repository. Later versions of the program add names to a config's sets;
 * a client refuses exactly what a name that it does not know forbids.
 */
import { AxiomError } from "../base/errors.ts";
import { KNOWN_CHUNKERS, type RepositoryConfig } from "./repository_config.ts";

export interface Features {
  /** Without these nothing can be read. */
  read: string[];
  /** Without these nothing may be added. */
  write: string[];
  /** Without these nothing may be removed. */
  delete: string[];
  [later: string]: unknown;
}

export type FeatureSets = Readonly<Record<"read" | "write" | "delete", readonly string[]>>;

/** Format 1 itself needs no name. */
const KNOWN_FEATURES: FeatureSets = { read: [], write: [], delete: [] };

/** What stands against reading, writing and deleting, each as text for a message; undefined where nothing does. */
export interface Access {
  read?: string;
  write?: string;
  delete?: string;
}

export function accessOf(config: RepositoryConfig, known: FeatureSets = KNOWN_FEATURES): Access {
  const read = unknownFeatures(config.features.read, known.read);
  const write = read ?? unknownFeatures(config.features.write, known.write) ?? unknownChunker(config);
  const remove = write ?? unknownFeatures(config.features.delete, known.delete);
  return {
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
    ...(remove === undefined ? {} : { delete: remove }),
  };
}

/** Throws `repository_unsupported` that names what this program lacks. */
export function requireAccess(access: Access, to: keyof Access, location: string): void {
  const why = access[to];
  if (why === undefined) return;
  const verb = { read: "read", write: "write to", delete: "delete from" }[to];
  throw new AxiomError("repository_unsupported", `Cannot ${verb} the repository ${location}: it uses ${why}`, {
    hint: "Update axiom to a version that knows it",
  });
}

function unknownFeatures(names: readonly string[], known: readonly string[]): string | undefined {
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return undefined;
  return `${unknown.length === 1 ? "the feature" : "the features"} ${unknown.join(", ")}`;
}

function unknownChunker(config: RepositoryConfig): string | undefined {
  for (const section of ["chunker", "fixed_blocks"] as const) {
    const { algorithm } = config[section];
    if (algorithm !== KNOWN_CHUNKERS[section]) return `the chunker ${algorithm}`;
  }
  return undefined;
}
