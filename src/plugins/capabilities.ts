/** What a plugin may be allowed beyond its own memory, and how far each category can ever go. */

/** As it stands in a manifest or in a grant. */
export interface Capability {
  readonly name: CapabilityName;
  /** Why the plugin wants it, in its author's words; no part of what is granted. */
  readonly reason?: string;
  /** `net.http`: `host`, `host:port` (443 if left out) or `*.domain`; without any, those that the grant names. */
  readonly hosts?: readonly string[];
  /** `net.http`: without any, GET alone. */
  readonly methods?: readonly string[];
  /** `net.http`: also at addresses that are not public; only a grant says so. */
  readonly private?: true;
  /** `files`: absolute; without any, those that the grant names. */
  readonly folders?: readonly string[];
}

interface Meaning {
  /** Import module that it opens. */
  readonly module: string;
  /** Ends the sentence "It asks to …". */
  readonly words: string;
  /** Tells nothing and reaches nothing, so that nobody has to grant it. */
  readonly harmless?: true;
  /** Whoever has it is outside of the sandbox. */
  readonly asked?: true;
}

const MEANINGS = {
  log: { module: "axiom:host/log@1", words: "write lines to the log", harmless: true },
  clock: { module: "axiom:host/clock@1", words: "know the time" },
  random: { module: "axiom:host/random@1", words: "draw random numbers" },
  kv: { module: "axiom:host/kv@1", words: "keep up to 1 MiB of notes of its own on this machine", asked: true },
  "net.http": { module: "axiom:host/http@1", words: "send requests over the network to", asked: true },
  repo: {
    module: "axiom:host/repo@1",
    words: "read the metadata of the repository: snapshots, folders and file names",
    asked: true,
  },
  metric: { module: "axiom:host/metric@1", words: "report numbers to the metrics" },
  files: { module: "axiom:host/files@1", words: "read the files in", asked: true },
} as const satisfies Record<string, Meaning>;

export type CapabilityName = keyof typeof MEANINGS;

export const CAPABILITY_NAMES = Object.keys(MEANINGS) as CapabilityName[];

const BY_MODULE = new Map<string, CapabilityName>(CAPABILITY_NAMES.map((name) => [MEANINGS[name].module, name]));

/** The capability that an import module belongs to; undefined for those of every plugin and for unknown ones. */
export function capabilityOfModule(module: string): CapabilityName | undefined {
  return BY_MODULE.get(module);
}

export function moduleOfCapability(name: CapabilityName): string {
  return MEANINGS[name].module;
}

/** What a plugin of a category can be allowed at most, whatever is granted: a malicious codec has no channel but its output. */
export const CEILINGS: Readonly<Record<string, readonly CapabilityName[]>> = {
  compression: ["log"],
  encryption: ["log"],
  filter: ["log"],
  storage: ["log", "net.http", "kv", "clock", "metric"],
  strategy: ["log", "clock", "repo", "kv", "metric"],
  source: ["log", "clock", "random", "kv", "net.http", "metric", "files"],
  processing: CAPABILITY_NAMES,
  notification: ["log", "clock", "random", "kv", "net.http", "repo", "metric"],
};

/** What a person has to agree to. */
export function needsGrant({ name }: Capability): boolean {
  const meaning: Meaning = MEANINGS[name];
  return meaning.harmless !== true;
}

/** Its answers come from outside of the sandbox, by a `CapabilityService`. */
export function isAsked(name: CapabilityName): boolean {
  const meaning: Meaning = MEANINGS[name];
  return meaning.asked === true;
}

/** Ends the sentence "It asks to …". */
export function describeCapability({ name, hosts, methods, folders, ...more }: Capability): string {
  const { words } = MEANINGS[name];
  if (name === "net.http") {
    const where = more.private === true ? ", also in private networks" : "";
    return `${words} ${named(hosts, "hosts")}, with ${(methods ?? ["GET"]).join(", ")}${where}`;
  }
  if (name === "files") return `${words} ${named(folders, "folders")}`;
  return words;
}

function named(names: readonly string[] | undefined, what: string): string {
  return names === undefined ? `${what} that you name when you grant it` : names.join(", ");
}

/** What of `wanted` goes beyond `granted`, each part by itself; empty where a grant covers everything. */
export function beyondGrant(wanted: readonly Capability[], granted: readonly Capability[]): Capability[] {
  return wanted.filter(needsGrant).flatMap((capability) => {
    const held = granted.find(({ name }) => name === capability.name);
    if (held === undefined) return [capability];
    const { name } = capability;
    const methods = missing(capability.methods ?? ["GET"], held.methods ?? ["GET"]);
    const hosts = missing(capability.hosts ?? [], held.hosts ?? []);
    const folders = missing(capability.folders ?? [], held.folders ?? []);
    if (name === "net.http" && (methods.length > 0 || hosts.length > 0)) {
      return [{
        name,
        hosts: hosts.length > 0 ? hosts : capability.hosts,
        methods: methods.length > 0 ? methods : capability.methods,
      }];
    }
    return name === "files" && folders.length > 0 ? [{ name, folders }] : [];
  });
}

function missing(wanted: readonly string[], held: readonly string[]): string[] {
  return wanted.filter((each) => !held.includes(each));
}
