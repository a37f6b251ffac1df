import { AxiomError } from "../../base/errors.ts";
import { findSnapshots, momentOf } from "../../operations/snapshot_filter.ts";
import { tagSnapshots, type TagSummary } from "../../operations/tag.ts";
import { readSnapshotList } from "../../operations/unmarked_snapshots.ts";
import { defineCommand, type FlagValues } from "../command.ts";
import { SNAPSHOT_FLAGS, snapshotChoice, snapshotFilter } from "../snapshot_flags.ts";
import { count } from "../wording.ts";

const TAGS = { type: "text", repeatable: true, placeholder: "tag[,tag]" } as const;

const FLAGS = [
  { long: "set", ...TAGS, description: "Replace all tags by these" },
  { long: "clear", type: "boolean", description: "Take all tags away" },
  { long: "add", ...TAGS, description: "Add these" },
  { long: "remove", ...TAGS, description: "Take these away" },
  ...SNAPSHOT_FLAGS,
] as const;

export const tag = defineCommand({
  name: "tag",
  summary: "Change the tags of snapshots",
  usage: "axiom tag --add <tag> [--remove <tag>] <snapshot>…\naxiom tag --set <tag> [--host <host>] [--tag <tag>]",
  details: "A snapshot is never changed: the one with the new tags has a new id, and takes the old one's place.",
  arguments: [{
    name: "snapshot",
    description: "Id, the beginning of one, or latest; without any, all that the flags select",
    optional: true,
    repeatable: true,
  }],
  flags: FLAGS,
  examples: [
    { command: "axiom tag --add keep latest", does: "Add a tag to the newest snapshot" },
    { command: "axiom tag --remove nightly --host nas", does: "Take a tag from all snapshots of a machine" },
  ],
  acts: true,
  parse: (values, names) => {
    const change = changeOf(values);
    const choice = snapshotChoice(values);
    if (names.length + choice.hosts.length + choice.tags.length + choice.paths.length === 0) {
      throw new AxiomError("usage", "Cannot change tags: no snapshot is named", {
        hint: "Name one, such as latest, or select some with --host, --tag or --path",
      });
    }
    return { names, choice, change };
  },
  run: async ({ names, choice, change }, { app: open }) => {
    const app = await open();
    const repository = await app.openRepository("write");
    const filter = snapshotFilter(choice, app.folder);
    const list = await readSnapshotList(repository, { names, filter }, { onEvent: app.events, signal: app.signal });
    const snapshots = findSnapshots(list, names, filter, momentOf(repository, app.events));
    const context = { identity: await app.identity(), onEvent: app.events, signal: app.signal };
    return await tagSnapshots(repository, { snapshots, ...change }, context);
  },
  render: ({ changed, unchanged }: TagSummary) => {
    const lines = changed.map(({ id, replacedId, tags }) =>
      `${replacedId.slice(0, 8)} is now ${id.slice(0, 8)}: ${tags.length === 0 ? "no tags" : tags.join(", ")}`
    );
    return [...lines, `${count(changed.length, "snapshot")} changed, ${unchanged.length} unchanged`].join("\n");
  },
  json: ({ changed, unchanged, remaining }) => ({
    changed: changed.map(({ id, replacedId, tags }) => ({ id, replaced_id: replacedId, tags })),
    unchanged,
    remaining,
  }),
});

function changeOf(values: FlagValues<typeof FLAGS>) {
  const { set, clear, add, remove } = values;
  const tagsOf = (texts: readonly string[]) =>
    texts.flatMap((text) => text.split(",")).map((each) => each.trim()).filter((each) => each !== "");
  const replaces = set.length > 0 || clear;
  const fail = (why: string) =>
    new AxiomError("usage", `Cannot change tags: ${why}`, { hint: "Give --set, --clear, or --add and --remove" });
  if (set.length > 0 && clear) throw fail("--set and --clear are both given");
  if (replaces && add.length + remove.length > 0) throw fail("all tags are replaced, and some added or removed");
  if (!replaces && add.length + remove.length === 0) throw fail("no flag says how");
  return replaces ? { set: tagsOf(set) } : { add: tagsOf(add), remove: tagsOf(remove) };
}
