import { type Options, snakeCase } from "./option.ts";
import { OPTIONS } from "./schema.ts";

const HEAD =
  `# Every option of AXIOM with its default. Copy what you change to ./axiom.yaml or ~/.config/axiom/axiom.yaml.
#
# - Later wins: file < profile < file of the profile (axiom.NAME.yaml) < environment < flags. A list that is given
#   replaces the one below it as a whole.
# - Every option is also a variable: backup.one_file_system is AXIOM_CONFIG_BACKUP_ONE_FILE_SYSTEM.
# - \${NAME} and \${NAME:-default} in a value stand for an environment variable, $\${ for the characters.
# - Relative paths start at the folder of this file, ~/ is the home folder.
# - Values that begin with * ! & % @ or contain ": " need quotes: "*.tmp".
`;

const FOOT = `
# Options that replace those above when the profile is chosen by --profile NAME or AXIOM_ENV=NAME, such as
#   night:
#     backup: { recheck: 5% }
profiles: {}
`;

/** `config/axiom.example.yaml`, which a test compares. */
export function exampleYaml(): string {
  const lines: string[] = [];
  writeSection(OPTIONS, "", lines);
  return `${HEAD}${lines.join("\n")}\n${FOOT}`;
}

function writeSection(options: Options, indent: string, lines: string[]): void {
  for (const [key, entry] of Object.entries(options)) {
    if (entry.kind === "section") {
      lines.push("", `${indent}# ${entry.summary}`, `${indent}${snakeCase(key)}:`);
      writeSection(entry.options, `${indent}  `, lines);
      continue;
    }
    const { summary, defaultText, type: { choices, example } } = entry;
    const more = choices !== undefined && choices[0] !== "true"
      ? `: ${choices.join(", ")}`
      : example === undefined
      ? ""
      : `, such as ${example}`;
    lines.push(`${indent}${snakeCase(key)}: ${defaultText} # ${summary}${more}`);
  }
}
