import { AxiomError } from "../../base/errors.ts";
import { diagnose, type DoctorFinding } from "../../operations/doctor.ts";
import { defineCommand } from "../command.ts";
import { escapeLines } from "../event_json.ts";
import { trustOf } from "../plugin_place.ts";
import { count } from "../wording.ts";

const FLAGS = [
  {
    long: "accept-repository",
    type: "boolean",
    description:
      "Trust what is at the location now, though it is another repository, or an older one, than was there before",
  },
] as const;

const WORDS: Record<DoctorFinding["state"], string> = { ok: "ok", warning: "look", failed: "FAILS" };

export const doctor = defineCommand({
  name: "doctor",
  summary: "Say what this machine, this build and the repository's place can do",
  usage: "axiom [-r <location>] doctor [--accept-repository]",
  details:
    "Looks at the configuration, at what of files this system can save and set, at the folders for state and cache, and, " +
    "with a location, at what its file system can do: what it puts there to try that goes again. Needs no password. Of " +
    "each thing it says ok, look (it works, but not as well as it could) or FAILS, and ends with 1 if one fails.",
  arguments: [],
  flags: FLAGS,
  examples: [
    { command: "axiom doctor", does: "Look at this machine" },
    { command: "axiom -r /mnt/backup doctor", does: "Try what the place of a repository can do, too" },
    {
      command: "axiom -r /mnt/backup doctor --accept-repository",
      does: "After you put another disk there yourself: forget what was there before",
    },
  ],
  parse: (values) => ({ accept: values["accept-repository"] }),
  run: async ({ accept }, { app: open, environment }) => {
    const findings: DoctorFinding[] = [];
    try {
      const app = await open();
      const { files: configFiles } = app.loaded;
      const message = configFiles.length === 0 ? "no file" : configFiles.join(", ");
      findings.push({ name: "configuration", state: "ok", message });
      const { location } = app;
      if (accept && location === undefined) throw noLocation();
      if (accept) {
        const accepted = await app.acceptRepository();
        findings.push({ name: "accepted", state: "ok", message: `whatever is in ${accepted} now` });
      }
      findings.push(
        ...await diagnose({
          files: app.files,
          deno: environment.platform.deno,
          workers: app.workers,
          stateFolder: app.stateFolder,
          cacheFolder: app.cacheFolder,
          plugins: { folder: app.pluginFolder, trust: trustOf(app) },
          repository: location === undefined
            ? undefined
            : { location, open: () => app.openStore(), probe: () => app.probeStore() },
          signal: app.signal,
        }),
      );
    } catch (error) {
      if (!(error instanceof AxiomError) || error.kind !== "config_invalid") throw error;
      findings.push({ name: "configuration", state: "failed", message: error.message, advice: error.hint });
    }
    return findings;
  },
  render: (findings) => {
    const width = Math.max(...findings.map(({ name }) => name.length));
    const lines = findings.flatMap(({ name, state, message, advice }) => [
      `${WORDS[state].padEnd(5)}  ${name.padEnd(width)}  ${escapeLines(message)}`,
      ...(advice === undefined || state === "ok" ? [] : [`${" ".repeat(9 + width)}${escapeLines(advice)}`]),
    ]);
    const failed = findings.filter(({ state }) => state === "failed").length;
    const warned = findings.filter(({ state }) => state === "warning").length;
    const end = failed > 0
      ? `${count(failed, "thing")} cannot work`
      : warned > 0
      ? `Works, with ${count(warned, "thing")} to look at`
      : "Everything works";
    return [...lines, end].join("\n");
  },
  json: (findings) =>
    findings.map(({ name, state, message, advice }) => ({ name, state, message, advice: advice ?? null })),
  exitCode: (findings) => findings.some(({ state }) => state === "failed") ? 1 : 0,
});

function noLocation(): AxiomError {
  return new AxiomError("usage", "Cannot accept a repository: none is given", {
    hint: "Give it with --repo <location>, or set AXIOM_REPOSITORY",
  });
}
