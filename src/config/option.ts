/**
 * The words in which `schema.ts` declares options. Everything that a person writes is text at first, in YAML, in the
 * environment and on the command line alike; a {@linkcode Type} reads that text, so one rule holds wherever it stands.
 */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What the meaning of a text may depend on. */
export interface ReadContext {
  /** Relative paths start here: the folder of the file that holds them; undefined leaves them relative. */
  readonly folder?: string;
  /** What `~/` stands for. */
  readonly home?: string;
}

export interface Type<T> {
  /** Ends the sentence "expected …". */
  readonly expected: string;
  /** Throws `RangeError` whose message ends the sentence "expected …". */
  read(text: string, context: ReadContext): T;
  readonly json: JsonSchema;
  /** Every text that is allowed, where they can be listed; for the nearest match. */
  readonly choices?: readonly string[];
  /** Example of a value, as YAML. */
  readonly example?: string;
}

export interface Option<T> {
  readonly kind: "option";
  readonly summary: string;
  readonly type: Type<unknown>;
  readonly shape: "one" | "optional" | "list";
  readonly default: T;
  /** As it is written in YAML. */
  readonly defaultText: string;
  /** A list written as one text, as in the environment, is cut here as well as at line ends. */
  readonly separator?: string;
}

export interface Options {
  readonly [key: string]: Option<unknown> | Section<Options>;
}

export interface Section<S extends Options> {
  readonly kind: "section";
  readonly summary: string;
  readonly options: S;
  /** The option that a plain value in place of the section sets. */
  readonly shorthand?: string & keyof S;
}

/** The values of a section, with the keys as they are declared: camelCase of the snake_case in YAML. */
export type ConfigOf<S> = {
  readonly [K in keyof S]: S[K] extends Option<infer T> ? T
    : S[K] extends Section<infer Inner> ? ConfigOf<Inner>
    : never;
};

/** Always has a value. `defaultText` is read by the same rules as what people write. */
export function one<T>(summary: string, type: Type<T>, defaultText: string): Option<T> {
  return { kind: "option", summary, type, shape: "one", default: type.read(defaultText, {}), defaultText };
}

/** Has no value unless it is given; `null` takes away what a file or profile below set. */
export function optional<T>(summary: string, type: Type<T>): Option<T | undefined> {
  return { kind: "option", summary, type, shape: "optional", default: undefined, defaultText: "null" };
}

/** Empty by default; a list that is given replaces the one below it as a whole. */
export function list<T>(summary: string, type: Type<T>, separator?: string): Option<readonly T[]> {
  return { kind: "option", summary, type, shape: "list", default: [], defaultText: "[]", separator };
}

export function section<S extends Options>(
  summary: string,
  options: S,
  shorthand?: string & keyof S,
): Section<S> {
  return { kind: "section", summary, options, shorthand };
}

/** `excludeLargerThan` as `exclude_larger_than`. */
export function snakeCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Every option below `options` with its path as in messages, such as `backup.exclude_caches`, in the order declared. */
export function* walkOptions(options: Options, above = ""): Generator<[path: string, option: Option<unknown>]> {
  for (const [key, entry] of Object.entries(options)) {
    const path = above + snakeCase(key);
    if (entry.kind === "option") yield [path, entry];
    else yield* walkOptions(entry.options, `${path}.`);
  }
}

/** The whole tree of values; `valueOf` is asked for each option by its path. */
export function buildConfig<S extends Options>(
  options: S,
  valueOf: (path: string, option: Option<unknown>) => unknown,
  above = "",
): ConfigOf<S> {
  const config: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries(options)) {
    const path = above + snakeCase(key);
    config[key] = entry.kind === "option" ? valueOf(path, entry) : buildConfig(entry.options, valueOf, `${path}.`);
  }
  return config as ConfigOf<S>;
}
