import { utf8 } from "../base/bytes.ts";
import { meant } from "./issue.ts";
import { type LayerContext, readTexts } from "./layer.ts";
import { OPTION_BY_PATH } from "./schema.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = "AXIOM_CONFIG_";

/** Variables with a name of their own. They win over `AXIOM_CONFIG_…` of the same option. Empty ones count as not set. */
const NAMED: Readonly<Record<string, string>> = {
  AXIOM_REPOSITORY: "repository.location",
  AXIOM_PASSWORD_FILE: "repository.password_file",
  AXIOM_PASSWORD_COMMAND: "repository.password_command",
  AXIOM_CACHE_DIR: "cache.dir",
};

/** `backup.exclude_caches` as `AXIOM_CONFIG_BACKUP_EXCLUDE_CACHES`. */
export function variableOf(path: string): string {
  return PREFIX + path.replaceAll(".", "_").toUpperCase();
}

const PATH_BY_VARIABLE = new Map([...OPTION_BY_PATH.keys()].map((path) => [variableOf(path), path]));

/**
 * Reads every `AXIOM_CONFIG_…` and the named variables. A list is one item per line, or a YAML list in brackets; an empty
 * text is an empty list, and takes an optional value away.
 */
export async function readEnvironment(env: Environment, context: LayerContext): Promise<void> {
  for (const name of Object.keys(env).filter((name) => name.startsWith(PREFIX)).sort()) {
    const path = PATH_BY_VARIABLE.get(name);
    if (path === undefined) {
      const message = `expected a variable of an option${meant(name, PATH_BY_VARIABLE.keys())}`;
      context.issues.push({ origin: name, path: "", message, hint: `Unset ${name}, or correct its name` });
    } else await readVariable(name, path, env[name] ?? "", context);
  }
  for (const [name, path] of Object.entries(NAMED)) {
    const value = env[name];
    if (value !== undefined && value !== "") readTexts(path, [value], name, context);
  }
  if (env.NO_COLOR) context.layer.set("output.color", { value: "never", origin: "NO_COLOR" });
}

async function readVariable(name: string, path: string, value: string, context: LayerContext): Promise<void> {
  const option = OPTION_BY_PATH.get(path)!;
  if (value === "") return readTexts(path, [], name, context);
  if (option.shape !== "list") return readTexts(path, [value], name, context);
  if (!value.startsWith("[")) return readTexts(path, items(value, option.separator), name, context);
  const { readYaml } = await import("./yaml_tree.ts");
  const { tree, issues } = readYaml(utf8(value), name);
  const texts = tree.kind === "list"
    ? tree.items.map((item) => item.kind === "text" ? item.text : undefined)
    : [undefined];
  if (issues.length > 0 || texts.includes(undefined)) {
    context.issues.push({
      origin: name,
      path,
      message: 'expected lines, or a YAML list such as ["*.tmp", "*.o"], found neither',
    });
  } else readTexts(path, texts as string[], name, context);
}

function items(value: string, separator: string | undefined): string[] {
  const lines = value.split(/\r?\n/);
  const cut = separator === undefined
    ? lines
    : lines.flatMap((line) => line.split(separator).map((item) => item.trim()));
  return cut.filter((item) => item !== "");
}
