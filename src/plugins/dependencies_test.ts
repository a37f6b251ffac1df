import { deepStrictEqual as deepEqual, throws } from "node:assert/strict";
import { demandDependencies, dependencyFaults } from "./dependencies.ts";

/** `made("a 1.0.0", "b ^1", "c? *")`; a question mark makes one optional. */
function made(name: string, ...needs: string[]) {
  const [pluginId, version] = name.split(" ");
  const dependencies = needs.map((need) => {
    const [id, ...range] = need.split(" ");
    return { pluginId: id.replace("?", ""), version: range.join(" "), optional: id.endsWith("?") };
  });
  return { pluginId, version, dependencies };
}

Deno.test("dependencyFaults() names the path to what is missing, unfit or circular", async (t) => {
  const cases: [name: string, plugin: ReturnType<typeof made>, others: ReturnType<typeof made>[], faults: string[]][] =
    [
      ["nothing needed", made("a 1.0.0"), [], []],
      ["all there", made("a 1.0.0", "b ^1", "c *"), [made("b 1.2.0", "c >=2 <3"), made("c 2.0.0")], []],
      ["missing", made("a 1.0.0", "b ^1"), [], ["a 1.0.0 → b ^1: none is installed"]],
      ["unfit", made("a 1.0.0", "b ^1"), [made("b 2.0.0")], ["a 1.0.0 → b ^1: 2.0.0 is installed"]],
      ["missing further on", made("a 1.0.0", "b *"), [made("b 1.0.0", "c ^3")], [
        "a 1.0.0 → b 1.0.0 → c ^3: none is installed",
      ]],
      ["optional and missing", made("a 1.0.0", "b? ^1"), [], []],
      ["optional and unfit", made("a 1.0.0", "b? ^1"), [made("b 2.0.0", "c *")], []],
      ["each other", made("a 1.0.0", "b *"), [made("b 1.0.0", "a *")], [
        "a 1.0.0 → b 1.0.0 → a *: they need each other",
      ]],
      [
        "a ring further on",
        made("a 1.0.0", "b *"),
        [made("b 1.0.0", "c *"), made("c 1.0.0", "b *")],
        ["a 1.0.0 → b 1.0.0 → c 1.0.0 → b *: they need each other"],
      ],
      [
        "a diamond",
        made("a 1.0.0", "b *", "c *"),
        [made("b 1.0.0", "d *"), made("c 1.0.0", "d *"), made("d 1.0.0")],
        [],
      ],
      ["who needs it", made("a 2.0.0"), [made("z 1.0.0", "a ^1"), made("y 1.0.0", "a? ^1")], [
        "z 1.0.0 → a ^1: this is 2.0.0",
      ]],
      ["its own older generation", made("a 2.0.0", "b *"), [made("a 1.0.0", "gone *"), made("b 1.0.0")], []],
      ["another's fault", made("a 1.0.0"), [made("z 1.0.0", "gone *")], []],
    ];
  for (const [name, plugin, others, faults] of cases) {
    await t.step(name, () => deepEqual(dependencyFaults(plugin, others), faults));
  }
});

Deno.test("demandDependencies() refuses with all of them", () => {
  throws(() => demandDependencies({ ...made("a 1.0.0", "b ^1", "c *"), sha256: "ab".repeat(32) }, []), {
    kind: "plugin_refused",
    message:
      "Cannot load the plugin a 1.0.0 (sha256 abababababab): a 1.0.0 → b ^1: none is installed; a 1.0.0 → c *: none is installed",
  });
});
