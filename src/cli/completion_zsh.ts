import type { AnyCommand, Flag } from "./command.ts";
import {
  families,
  nextWords,
  type Offer,
  offerOfArgument,
  offerOfFlag,
  quoted,
  spellings,
} from "./completion_model.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import { placeholderOf } from "./tokens.ts";

/** On `_arguments` of zsh's completion system: zshcompsys(1). */
export function zshScript(commands: readonly AnyCommand[]): string {
  const leaves = commands.map((command) => {
    const specifications = [
      ...command.flags.flatMap(flagSpecifications),
      ...command.arguments.map((argument, place) => {
        const position = argument.repeatable ? "*" : `${place + 1}`;
        return `${position}${argument.optional ? "::" : ":"}${escaped(argument.name)}:${
          action(offerOfArgument(argument, commands))
        }`;
      }),
    ];
    return `    ${quoted(command.name)})\n${argumentsCall(specifications)} ;;`;
  });
  const following = ["", ...families(commands)].map((prefix) => {
    const words = nextWords(prefix, commands).map(({ word, summary }) => `${escaped(word)}:${summary}`);
    return `    ${quoted(prefix)}) words_of=(${words.map(quoted).join(" ")}) ;;`;
  });
  return SCRIPT
    .replace(
      "@GLOBALS@",
      () => GLOBAL_FLAGS.flatMap(flagSpecifications).map((each) => `    ${quoted(each)}`).join("\n"),
    )
    .replace("@FAMILIES@", () => ["", ...families(commands)].map(quoted).join(" | "))
    .replace("@FOLLOWING@", () => following.join("\n"))
    .replace("@COMMANDS@", () => leaves.join("\n"));
}

function argumentsCall(specifications: readonly string[]): string {
  return ["      _arguments -S -s $globals", ...specifications.map((each) => `        ${quoted(each)}`)].join(" \\\n");
}

/** One for each spelling; `(-r --repo)` in both keeps the other from being offered again. */
function flagSpecifications(flag: Flag): string[] {
  const offer = offerOfFlag(flag);
  const repeats = flag.repeatable === true || flag.type === "count";
  const names = spellings(flag);
  const exclusion = repeats ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
  const value = offer === undefined ? "" : `:${escaped(placeholderOf(flag))}:${action(offer)}`;
  const marks = names.map((name) => offer === undefined ? name : name.startsWith("--") ? `${name}=` : `${name}+`);
  return marks.map((mark) => `${exclusion}${mark}[${escaped(flag.description)}]${value}`);
}

function action(offer: Offer): string {
  switch (offer.kind) {
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "words":
      return `(${offer.words.map(escaped).join(" ")})`;
    case "nothing":
      return " ";
  }
}

/** For the inside of a specification, where colons and brackets mean something. */
function escaped(text: string): string {
  return text.replace(/[\\:[\]]/g, "\\$&");
}

const SCRIPT = `#compdef axiom
# zsh completion for axiom

# Completes what follows the words $1, which begin or name a command.
_axiom_after() {
  local curcontext="$curcontext" state line
  local -a globals words_of
  typeset -A opt_args
  globals=(
@GLOBALS@
  )
  case $1 in
@FOLLOWING@
  esac
  case $1 in
    @FAMILIES@)
      _arguments -C -S -s $globals ': :->word' '*::: :->rest'
      case $state in
        word) _describe command words_of ;;
        rest)
          words=("$line[1]" "\${words[@]}")
          CURRENT=$((CURRENT + 1))
          _axiom_after "\${1:+$1 }$line[1]" ;;
      esac ;;
@COMMANDS@
  esac
}

_axiom() {
  _axiom_after ''
}

if [[ $funcstack[1] == _axiom ]]; then
  _axiom "$@"
else
  compdef _axiom axiom
fi
`;
