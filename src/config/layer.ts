import { type Issue, meant, quote } from "./issue.ts";
import { type Option, type Options, type ReadContext, snakeCase } from "./option.ts";
import { OPTION_BY_PATH } from "./schema.ts";
import type { Tree } from "./yaml_tree.ts";

/** The options that one source sets, by their path. */
export type Layer = Map<string, Setting>;

export interface Setting {
  readonly value: unknown;
  /** `axiom.yaml:12:5`, the name of a variable, or a flag. */
  readonly origin: string;
}

export interface LayerContext extends ReadContext {
  /** For `${NAME}` in values; undefined leaves them as they are. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly layer: Layer;
  readonly issues: Issue[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;

/** Puts `${NAME}` and `${NAME:-default}` in; `$${` stands for `${`. Throws `RangeError` which ends "expected …". */
function interpolate(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return text.replace(REFERENCE, (whole, inside: string | undefined) => {
    if (inside === undefined) return "${";
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inside);
    if (match === null || !whole.endsWith("}")) {
      throw new RangeError("${NAME} or ${NAME:-default}, and $${ for the characters");
    }
    const value = env[match[1]] || match[2];
    if (value === undefined) throw new RangeError(`the environment variable ${match[1]} to be set`);
    return value;
  });
}

/** @param isWhole Of a file, which is then perhaps no configuration at all: a secret must not be shown */
function found(tree: Tree, isWhole = false): string {
  if (tree.kind === "text" && isWhole) return "text without any key";
  if (tree.kind === "text") return quote(tree.text);
  return { nothing: "nothing", list: "a list", map: "a section" }[tree.kind];
}

/** Reads `tree` as the section `options`; `prefix` stands before paths in messages, as in `profiles.night.`. */
export function readSection(options: Options, tree: Tree, above: string, prefix: string, context: LayerContext): void {
  if (tree.kind === "nothing") return;
  const names = new Map(Object.keys(options).map((key) => [snakeCase(key), options[key]]));
  if (tree.kind !== "map") {
    const keys = [...names.keys()].slice(0, 4).join(", ");
    context.issues.push({
      origin: tree.at,
      path: (prefix + above).slice(0, -1),
      message: `expected a section with keys such as ${keys}, found ${found(tree, prefix + above === "")}`,
    });
    return;
  }
  for (const { key, at, value } of tree.entries) {
    const entry = names.get(key);
    if (entry === undefined) {
      context.issues.push({ origin: at, path: prefix + above + key, message: unknownKey(key, above, names.keys()) });
    } else if (entry.kind === "option") readOption(entry, above + key, prefix, value, context);
    else if (entry.shorthand !== undefined && value.kind === "text") {
      const path = `${above}${key}.${snakeCase(entry.shorthand)}`;
      readOption(OPTION_BY_PATH.get(path)!, path, prefix, value, context);
    } else readSection(entry.options, value, `${above}${key}.`, prefix, context);
  }
}

function unknownKey(key: string, above: string, siblings: Iterable<string>): string {
  const near = meant(key, siblings);
  const elsewhere = [...OPTION_BY_PATH.keys()].filter((path) => path.endsWith(`.${key}`));
  const hint = near !== "" ? near : elsewhere.length === 0 ? "" : `; did you mean ${elsewhere.join(" or ")}?`;
  return `expected an option${above === "" ? "" : ` of ${above.slice(0, -1)}`}, found ${quote(key)}${hint}`;
}

function readOption(option: Option<unknown>, path: string, prefix: string, tree: Tree, context: LayerContext): void {
  const report = (at: string, expected: string, what: string) =>
    void context.issues.push({ origin: at, path: prefix + path, message: `expected ${expected}, found ${what}` });
  const set = (value: unknown) => void context.layer.set(path, { value, origin: tree.at });
  const { expected } = option.type;
  if (option.shape === "list") {
    if (tree.kind === "nothing") return set([]);
    if (tree.kind !== "list") return report(tree.at, `a list, each of it ${expected}`, found(tree));
    const values = tree.items.map((item) => readText(option, item, context, report));
    return values.includes(undefined) ? undefined : set(values);
  }
  if (tree.kind === "nothing" && option.shape === "optional") return set(undefined);
  const value = readText(option, tree, context, report);
  if (value !== undefined) set(value);
}

function readText(
  option: Option<unknown>,
  tree: Tree,
  context: LayerContext,
  report: (at: string, expected: string, found: string) => void,
): unknown {
  const { expected, choices } = option.type;
  if (tree.kind !== "text") return report(tree.at, expected, found(tree));
  let text = tree.text;
  try {
    if (context.env !== undefined) text = interpolate(tree.text, context.env);
    return option.type.read(text, context);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const from = text === tree.text ? "" : ` from ${quote(tree.text)}`;
    return report(tree.at, error.message, `${quote(text)}${from}${meant(text, choices ?? [])}`);
  }
}

/** Sets one option from texts that are not YAML: of a variable or a flag, which `origin` names. */
export function readTexts(path: string, texts: readonly string[], origin: string, context: LayerContext): void {
  const option = OPTION_BY_PATH.get(path);
  if (option === undefined) throw new TypeError(`No such option: ${path}`);
  const items = texts.map((text): Tree => ({ kind: "text", text, at: origin }));
  const tree: Tree = option.shape === "list"
    ? { kind: "list", items, at: origin }
    : items[items.length - 1] ?? { kind: "nothing", at: origin };
  readOption(option, path, "", tree, context);
}
