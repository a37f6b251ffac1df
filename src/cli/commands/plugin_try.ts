import { absolute } from "../../operations/source_list.ts";
import { admit } from "../../plugins/admission.ts";
import { type ConformanceFinding, testPlugin } from "../../plugins/conformance.ts";
import { readPluginFile } from "../../plugins/plugin_file.ts";
import { defineCommand } from "../command.ts";
import { escapeLines } from "../event_json.ts";
import { count } from "../wording.ts";

const WORDS: Record<ConformanceFinding["state"], string> = { ok: "ok", failed: "FAILS", skipped: "-" };

/** `plugin test`; the name of the file must not look like a test's. */
export const pluginTest = defineCommand({
  name: "plugin test",
  summary: "Try a plugin by the rules that every plugin is held to",
  usage: "axiom plugin test <file>",
  details: "Runs it in its sandbox with nothing granted, and loads nothing. Ends with 14 if a rule is broken.",
  arguments: [{ name: "file", description: "The .wasm file of a plugin", completes: "file" }],
  flags: [],
  examples: [
    { command: "axiom plugin test compression_lz4.wasm", does: "Try a plugin that you built" },
    { command: "axiom plugin test --json compression_lz4.wasm", does: "The same for programs" },
  ],
  parse: (_values, [file]) => ({ file }),
  run: async ({ file }, { app: open }) => {
    const { folder, clock, signal } = await open();
    const { name, data } = await readPluginFile(absolute(file, folder));
    const plugin = admit(data, { name });
    return { plugin, findings: await testPlugin(plugin, { clock, signal }) };
  },
  render: ({ plugin: { manifest }, findings }) => {
    const width = Math.max(...findings.map(({ name }) => name.length));
    const lines = findings.map(({ name, state, message }) =>
      `${WORDS[state].padEnd(5)}  ${name.padEnd(width)}  ${escapeLines(message)}`
    );
    const failed = findings.filter(({ state }) => state === "failed").length;
    const skipped = findings.filter(({ state }) => state === "skipped").length;
    const left = skipped === 0 ? "" : `; ${count(skipped, "check")} left out`;
    const end = failed === 0 ? "keeps every rule that was tried" : `breaks ${count(failed, "rule")}`;
    return [...lines, `${manifest.pluginId} ${manifest.version} ${end}${left}`].join("\n");
  },
  json: ({ plugin: { manifest, sha256 }, findings }) => ({
    plugin_id: manifest.pluginId,
    version: manifest.version,
    sha256,
    passed: findings.every(({ state }) => state !== "failed"),
    checks: findings.map(({ group, name, state, message }) => ({ group, name, state, message })),
  }),
  exitCode: ({ findings }) => findings.some(({ state }) => state === "failed") ? 14 : 0,
});
