import {
  repairDecoders as putBack,
  type RepairDecodersSummary,
  type RepairedDecoder,
} from "../../operations/repair_decoders.ts";
import { defineCommand } from "../command.ts";
import { count } from "../wording.ts";

const FLAGS = [
  { long: "dry-run", short: "n", type: "boolean", description: "Only say what would be done" },
] as const;

export const repairDecoders = defineCommand({
  name: "repair decoders",
  summary: "Put back the decoders of plugins that wrote here",
  usage: "axiom repair decoders [--dry-run]",
  details:
    "A repository stores the module of each codec and cipher plugin that wrote into it. One that is missing or damaged " +
    "is put back from an installed plugin of the same SHA-256.",
  arguments: [],
  flags: FLAGS,
  examples: [
    { command: "axiom repair decoders --dry-run", does: "Say which decoders are missing" },
    { command: "axiom repair decoders", does: "Put back those whose plugin is installed" },
  ],
  stream: true,
  parse: (values) => ({ dryRun: values["dry-run"] }),
  run: async (options, { app: open }) => {
    const app = await open();
    const repository = await app.openRepository("read");
    return await putBack(repository, options, { onEvent: app.events, signal: app.signal });
  },
  render: (summary) => textOf(summary),
  json: ({ dryRun, packsRead, packsUnreadable, decoders, repaired }) => ({
    dry_run: dryRun,
    packs_read: packsRead,
    packs_unreadable: packsUnreadable,
    decoders,
    repaired: repaired.map(({ sha256, pluginId, version, formatId, packs, state }) => ({
      sha256,
      plugin_id: pluginId,
      version,
      format_id: formatId,
      packs,
      state,
    })),
  }),
  exitCode: ({ repaired }) => repaired.some(({ state }) => state === "absent") ? 14 : 0,
});

const STATES: Record<RepairedDecoder["state"], string> = {
  put_back: "put back",
  to_be_put_back: "would be put back",
  absent: "missing: load the plugin of this SHA-256 with `axiom plugin load`, then run this again",
};

function textOf({ decoders, packsRead, packsUnreadable, repaired }: RepairDecodersSummary): string {
  const lines = repaired.map(({ sha256, pluginId, version, packs, state }) =>
    `${pluginId} ${version}, sha256 ${sha256}, named by ${count(packs, "pack")}: ${STATES[state]}`
  );
  const found = `${packsNaming(packsRead)} ${count(decoders, "decoder")}`;
  lines.push(repaired.length === 0 ? `${found}: all are there` : found);
  if (packsUnreadable > 0) {
    lines.push(`What ${packsNaming(packsUnreadable)} could not be read: \`axiom check\` says why`);
  }
  return lines.join("\n");
}

function packsNaming(packs: number): string {
  return `${count(packs, "pack")} ${packs === 1 ? "names" : "name"}`;
}
