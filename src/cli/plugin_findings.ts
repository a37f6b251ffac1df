/** What `plugin test` and `plugin dev` show of a trial. */
import type { AdmittedPlugin } from "../plugins/admission.ts";
import type { ConformanceFinding } from "../plugins/conformance.ts";
import { escapeLines } from "./event_json.ts";
import { count } from "./wording.ts";

interface Tried {
  readonly plugin: AdmittedPlugin;
  readonly findings: readonly ConformanceFinding[];
}

const WORDS: Record<ConformanceFinding["state"], string> = { ok: "ok", failed: "FAILS", skipped: "-" };

export function findingsText({ plugin: { manifest }, findings }: Tried): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map(({ name, state, message }) =>
    `${WORDS[state].padEnd(5)}  ${name.padEnd(width)}  ${escapeLines(message)}`
  );
  const failed = findings.filter(({ state }) => state === "failed").length;
  const skipped = findings.filter(({ state }) => state === "skipped").length;
  const left = skipped === 0 ? "" : `; ${count(skipped, "check")} left out`;
  const end = failed === 0 ? "keeps every rule that was tried" : `breaks ${count(failed, "rule")}`;
  return [...lines, `${manifest.pluginId} ${manifest.version} ${end}${left}`].join("\n");
}

export function findingsJson({ plugin: { manifest, sha256 }, findings }: Tried) {
  return {
    plugin_id: manifest.pluginId,
    version: manifest.version,
    sha256,
    passed: findings.every(({ state }) => state !== "failed"),
    checks: findings.map(({ group, name, state, message }) => ({ group, name, state, message })),
  };
}

/** 14 if a rule is broken. */
export function findingsCode({ findings }: Tried): number {
  return findings.some(({ state }) => state === "failed") ? 14 : 0;
}
