/** The page for authors says what the code does. */
import { strictEqual as equal } from "node:assert/strict";
import { CALL_MODULE, ERROR_CLASSES, IO_MODULE, OPERATIONS, VERBS } from "./abi.ts";

const page = await Deno.readTextFile(new URL("../../plugin-pdk/abi.md", import.meta.url));
const cells = (text: string) => new RegExp(`\\| ${text} +\\|`);

Deno.test("the page of the ABI names every export, class, operation and module with its number", () => {
  const said = [
    ...VERBS.map((verb) => cells(`\`${verb}\``)),
    ...ERROR_CLASSES.slice(1).map((name, i) => cells(`${i + 1} +\\| \`${name}\``)),
    ...Object.entries(OPERATIONS).map(([name, number]) => cells(`${number} +\\| \`${name}\``)),
    ...[IO_MODULE, CALL_MODULE].map((module) => cells(`\`${module}\``)),
  ];
  for (const each of said) equal(each.test(page), true, String(each));
});
