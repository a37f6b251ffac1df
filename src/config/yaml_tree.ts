import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from "yaml";
import { messageOf } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { decodeName } from "../base/names.ts";
import { type Issue, quote } from "./issue.ts";

/** YAML of which only the text is left, and where it stood: what a text means, the schema knows. */
export type Tree =
  | { readonly kind: "nothing"; readonly at: string }
  | { readonly kind: "text"; readonly text: string; readonly at: string }
  | { readonly kind: "list"; readonly items: readonly Tree[]; readonly at: string }
  | { readonly kind: "map"; readonly entries: readonly TreeEntry[]; readonly at: string };

export interface TreeEntry {
  readonly key: string;
  readonly at: string;
  readonly value: Tree;
}

const QUOTE_IT = 'Put values that begin with * ! & % @ ` or contain ": " into quotes, such as "*.tmp"';
const PLAIN_ERRORS: Record<string, string> = {
  BLOCK_AS_IMPLICIT_KEY: 'expected one value, found a second ":" on the line',
  TAB_AS_INDENT: "expected spaces at the beginning of the line, found a tab",
  MULTIPLE_DOCS: "expected the end of the file, found a second document",
  RESOURCE_EXHAUSTION: `expected at most ${LIMITS.configDepthMax} levels, found more`,
  BAD_DIRECTIVE: 'expected a value, found a YAML directive, which "%" begins',
  TAG_RESOLVE_FAILED: 'expected a value, found a YAML tag, which "!" begins',
};

/** Reads the one document of a file; `at` of everything begins with `name`. Never throws: what is wrong is in `issues`. */
export function readYaml(data: Uint8Array, name: string): { tree: Tree; issues: Issue[] } {
  const nothing: Tree = { kind: "nothing", at: `${name}:1:1` };
  const fail = (at: string, message: string, hint?: string) => ({
    tree: nothing,
    issues: [{ origin: at, path: "", message, hint }],
  });
  if (data.length > LIMITS.configFileBytesMax) {
    return fail(name, `expected at most ${LIMITS.configFileBytesMax} bytes, found ${data.length}`);
  }
  if ((data[0] === 0xff && data[1] === 0xfe) || (data[0] === 0xfe && data[1] === 0xff)) {
    return fail(name, "expected UTF-8, found UTF-16", `Save ${name} as UTF-8`);
  }
  const text = decodeName(data).replace(/^\ufeff/, "");
  const wrong = text.search(/[\ud800-\udfff]/u);
  if (wrong >= 0) {
    const lines = text.slice(0, wrong).split("\n");
    const byte = (text.charCodeAt(wrong) - 0xdc00).toString(16);
    const at = `${name}:${lines.length}:${lines[lines.length - 1].length + 1}`;
    return fail(at, `expected UTF-8, found the byte 0x${byte}`, `Save ${name} as UTF-8`);
  }
  const lines = new LineCounter();
  try {
    // Failsafe: every scalar is text. Unique keys are checked below, because the library compares each with each.
    const options = {
      schema: "failsafe",
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: lines,
      logLevel: "error",
    } as const;
    const document = parseDocument(text, options);
    const builder = new TreeBuilder(name, lines);
    for (const error of [...document.errors, ...document.warnings]) builder.reportSyntax(error);
    if (builder.issues.length > 0) return { tree: nothing, issues: builder.issues };
    return { tree: builder.build(document.contents, 0, undefined), issues: builder.issues };
  } catch (error) {
    return fail(`${name}:1:1`, `expected YAML that can be read, found ${messageOf(error)}`);
  }
}

class TreeBuilder {
  readonly issues: Issue[] = [];
  readonly #anchors = new Map<string, Node>();
  #nodes = 0;

  constructor(readonly name: string, readonly lines: LineCounter) {}

  #at(offset: number): string {
    const { line, col } = this.lines.linePos(offset);
    return `${this.name}:${line}:${col}`;
  }

  #report(at: string, message: string, hint?: string): Tree {
    // One place for each reason is enough, and what an alias repeats is one place.
    if (!this.issues.some((issue) => issue.message === message)) {
      this.issues.push({ origin: at, path: "", message, hint });
    }
    return { kind: "nothing", at };
  }

  reportSyntax(error: YAMLError): void {
    if (this.issues.length >= LIMITS.configErrorsMax) return;
    const message = PLAIN_ERRORS[error.code] ?? `not YAML: ${error.message.split("\n")[0]}`;
    const quoting = ["BLOCK_AS_IMPLICIT_KEY", "TAG_RESOLVE_FAILED", "BAD_SCALAR_START", "BAD_ALIAS"].includes(
      error.code,
    );
    this.issues.push({ origin: this.#at(error.pos[0]), path: "", message, hint: quoting ? QUOTE_IT : undefined });
  }

  /** `at` is where an alias stands that leads here. */
  build(node: Node | null, depth: number, at: string | undefined): Tree {
    const here = at ?? this.#at(node?.range?.[0] ?? 0);
    if (node === null) return { kind: "nothing", at: here };
    if (depth > LIMITS.configDepthMax) {
      return this.#report(here, `expected at most ${LIMITS.configDepthMax} levels, found more`);
    }
    if (++this.#nodes > LIMITS.configNodesMax) {
      return this.#report(
        here,
        `expected at most ${LIMITS.configNodesMax} values, found more`,
        "Use fewer aliases (*name)",
      );
    }
    if (isAlias(node)) return this.#alias(node, depth, here);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) {
      const text = String(node.value ?? "");
      const empty = node.type === "PLAIN" && (text === "" || text === "~" || text === "null");
      return empty ? { kind: "nothing", at: here } : { kind: "text", text, at: here };
    }
    if (isMap(node)) return this.#map(node as YAMLMap<Node, Node | null>, depth, at, here);
    const items = (node as unknown as { items: (Node | null)[] }).items;
    return { kind: "list", items: this.#each(items, (item) => this.build(item, depth + 1, at)), at: here };
  }

  /** Stops at the first sign of a bomb. */
  #each<I, O>(items: readonly I[], convert: (item: I) => O): O[] {
    const converted: O[] = [];
    for (const item of items) {
      if (this.#nodes > LIMITS.configNodesMax) break;
      converted.push(convert(item));
    }
    return converted;
  }

  #alias(node: Alias, depth: number, at: string): Tree {
    const target = this.#anchors.get(node.source);
    if (target !== undefined) return this.build(target, depth + 1, at);
    const name = depth === 0 ? "" : `${quote(`*${node.source}`)}, `; // a whole file may be a secret
    return this.#report(at, `expected a value, found ${name}an alias of nothing`, QUOTE_IT);
  }

  #map(node: YAMLMap<Node, Node | null>, depth: number, at: string | undefined, here: string): Tree {
    const seen = new Map<string, string>();
    const entries = this.#each(node.items, ({ key, value }): TreeEntry | undefined => {
      const keyAt = at ?? this.#at(key?.range?.[0] ?? 0);
      const tree = isScalar(key) ? this.build(key, depth + 1, at) : undefined;
      if (tree === undefined || tree.kind !== "text") {
        this.#report(
          keyAt,
          "expected a name before the colon, found something else",
          isAlias(key) ? QUOTE_IT : undefined,
        );
        return undefined;
      }
      const first = seen.get(tree.text);
      if (first !== undefined) {
        this.#report(keyAt, `expected each key once, found ${quote(tree.text)} again, first at ${first}`);
      }
      seen.set(tree.text, keyAt);
      return {
        key: tree.text,
        at: keyAt,
        value: this.build(value, depth + 1, at ?? (value === null ? keyAt : undefined)),
      };
    });
    return { kind: "map", entries: entries.filter((entry) => entry !== undefined), at: here };
  }
}
