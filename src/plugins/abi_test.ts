/** The page for authors says what the code does. */
import { strictEqual as equal } from "node:assert/strict";
import { CALL_MODULE, ERROR_CLASSES, IO_MODULE, LOG_MODULE, OPERATIONS, VERBS } from "./abi.ts";

const page = await Deno.readTextFile(new URL("../../plugin-pdk/abi.md", import.meta.url));
const cells = (text: string) => new RegExp(`\\| ${text} +\\|`);

Deno.test("the page of the ABI names every export, class, operation and module with its number", () => {
  const said = [
    ...VERBS.map((verb) => cells(`\`${verb}\``)),
    ...ERROR_CLASSES.slice(1).map((name, i) => cells(`${i + 1} +\\| \`${name}\``)),
    ...Object.entries(OPERATIONS).filter(([, number]) => number <= 4).map(([name, number]) =>
      cells(`${number} +\\| \`${name}\``)
    ),
    ...[IO_MODULE, CALL_MODULE, LOG_MODULE].map((module) => cells(`\`${module}\``)),
  ];
  for (const each of said) equal(each.test(page), true, String(each));
  const kept = Object.entries(OPERATIONS).filter(([, number]) => number > 4);
  equal(page.replaceAll(/\s+/g, " ").includes(kept.map(([name]) => `\`${name}\``).join(", ")), true);
  equal(page.includes(`Numbers ${kept[0][1]} to ${kept.at(-1)![1]}`), true);
});
