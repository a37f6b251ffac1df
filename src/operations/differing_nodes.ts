import type { Content, Entry } from "../model/entry.ts";
import type { TreeNode } from "../model/tree.ts";
import type { TreeReader } from "../repository/tree_reader.ts";

/** What two lists hold that the other does not, each in its order. */
function withoutCommon(before: readonly string[], after: readonly string[]): [string[], string[]] {
  const left = new Set(before);
  const right = new Set(after);
  return [before.filter((id) => !right.has(id)), after.filter((id) => !left.has(id))];
}

/**
 * The entries of two folders without the leaves that both have: of a folder of a million entries in which one changed, two
 * leaves and the index nodes above them are read.
 */
export async function differingLeaves(
  trees: TreeReader,
  before: string,
  after: string,
): Promise<[AsyncGenerator<readonly Entry[]>, AsyncGenerator<readonly Entry[]>]> {
  const nodes = [await trees.node(before), await trees.node(after)];
  const levels = [[before], [after]];
  const heights = [await heightOf(trees, nodes[0]), await heightOf(trees, nodes[1])];
  while (Math.max(...heights) > 0) {
    const highest = Math.max(...heights);
    for (const side of [0, 1]) {
      if (heights[side] < highest) continue;
      levels[side] = await childrenOf(trees, levels[side]);
      heights[side]--;
    }
    [levels[0], levels[1]] = withoutCommon(levels[0], levels[1]);
  }
  const [left, right] = [0, 1].map((side) => leavesOf(trees, levels[side], nodes[side]));
  return [left, right];
}

/** Index nodes between a node and its leaves; those that we write have as many everywhere. */
async function heightOf(trees: TreeReader, node: TreeNode): Promise<number> {
  let height = 0;
  for (let at = node; "children" in at; at = await trees.node(at.children[0].id)) height++;
  return height;
}

async function childrenOf(trees: TreeReader, ids: readonly string[]): Promise<string[]> {
  const children: string[] = [];
  for (const id of ids) {
    const node = await trees.node(id);
    if ("entries" in node) children.push(id);
    else for (const child of node.children) children.push(child.id);
  }
  return children;
}

async function* leavesOf(trees: TreeReader, ids: readonly string[], root: TreeNode): AsyncGenerator<readonly Entry[]> {
  if (!("entries" in root)) { for (const id of ids) yield* trees.leaves(id); }
  else if (ids.length > 0) yield root.entries;
}

/** Chunk ids of two versions of a file, without those of list nodes that both have and those that both name. */
export async function differingChunks(
  trees: TreeReader,
  before: Content | undefined,
  after: Content | undefined,
): Promise<[string[], string[]]> {
  const lists = [firstLevel(before), firstLevel(after)];
  const depths = [before?.nodes === undefined ? 0 : before.depth!, after?.nodes === undefined ? 0 : after.depth!];
  for (;;) {
    if (depths[0] === depths[1]) [lists[0], lists[1]] = withoutCommon(lists[0], lists[1]);
    const deepest = Math.max(...depths);
    if (deepest === 0) return [lists[0], lists[1]];
    for (const side of [0, 1]) {
      if (depths[side] < deepest) continue;
      lists[side] = await expanded(trees, lists[side]);
      depths[side]--;
    }
  }
}

function firstLevel(content: Content | undefined): string[] {
  return content?.nodes ?? (content?.elements ?? []).filter((element) => typeof element === "string");
}

async function expanded(trees: TreeReader, nodes: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  if (nodes.length === 0) return ids;
  for await (const elements of trees.content({ nodes: [...nodes], depth: 1 })) {
    for (const element of elements) if (typeof element === "string") ids.push(element);
  }
  return ids;
}
