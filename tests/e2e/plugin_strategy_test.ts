/** Strategy plugins choose the mode of a backup. */
import { deepStrictEqual as deepEqual, match, strictEqual as equal } from "node:assert/strict";
import { utf8 } from "../../src/base/bytes.ts";
import { manifestSection } from "../../src/plugins/plugin_fixture.ts";
import { ADDED, I32, op, pluginModule } from "../../src/plugins/wasm_fixture.ts";
import { writePlugin } from "./plugin_fixture.ts";
import { onMachine } from "./program.ts";

/** Always of the same mind. */
function toyStrategy(version: string, plan: string) {
  const about = {
    plugin_id: "strategy_toy",
    version,
    category: "strategy",
    format_id: undefined,
    config_schema: undefined,
  };
  return pluginModule({
    data: utf8(plan),
    imports: [{ module: "axiom:host/call@1", name: "result", parameters: [I32, I32], results: [I32] }],
    execute: [op.const(0), op.const(plan.length), ADDED],
    sections: [manifestSection(about)],
  });
}

Deno.test(
  "a strategy chooses the mode, and what it cannot mean changes nothing",
  onMachine(async (machine) => {
    const source = machine.path("source");
    await Deno.mkdir(source);
    await Deno.writeTextFile(`${source}/a`, "content");
    const succeeds = async (...args: string[]) => {
      const ended = await machine.run(args);
      equal(ended.code, 0, `${args.join(" ")}: ${ended.stderr}`);
      return ended;
    };
    await succeeds("init");
    await succeeds("backup", source);
    const cases = [
      { plan: '{"mode":"full"}', mode: "full", hasParent: false },
      { plan: '{"mode":"differential","parent":null}', mode: "differential", hasParent: true },
      {
        plan: '{"mode":"weekly"}',
        mode: "incremental",
        hasParent: true,
        text: /follow the plan of strategy_toy.*weekly/,
      },
      { plan: '{"mode":"incremental","parent":"ff"}', mode: "incremental", hasParent: true, text: /it wants/ },
      {
        plan: "nonsense",
        mode: "incremental",
        hasParent: true,
        text: /its result is no JSON object; the backup is incr/,
      },
    ];
    for (const [i, { plan, mode, hasParent, text }] of cases.entries()) {
      await succeeds("plugin", "load", await writePlugin(machine, "s.wasm", toyStrategy(`1.0.${i}`, plan)));
      const ended = await succeeds("backup", source, "--strategy", "toy", "--json");
      const { mode: chosen, parent_id, strategy } = ended.last();
      deepEqual([chosen, parent_id !== null], [mode, hasParent], plan);
      equal(strategy?.version, text === undefined ? `1.0.${i}` : undefined);
      const [snapshot] = (await succeeds("snapshots", "--json", "latest")).json();
      deepEqual(snapshot.plugins, strategy === null ? [] : [strategy]);
      match(ended.stderr + ended.stdout, text ?? /^/);
      await succeeds("plugin", "unload", "strategy_toy");
    }
  }),
);
