import {
  families,
  nextWords,
  type Offer,
  offerOfArgument,
  offerOfFlag,
  quoted,
  spellings,
} from "./completion_model.ts";
import type { AnyCommand } from "./command.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";

/** For bash 3.2 and later: macOS ships that one. */
export function bashScript(commands: readonly AnyCommand[]): string {
  const names = [...families(commands), ...commands.map(({ name }) => name)];
  const flags = commands.flatMap((command) => command.flags.map((flag) => ({ flag, name: command.name })));
  const values = [
    ...GLOBAL_FLAGS.map((flag) => valueCase("", flag)),
    ...flags.map(({ flag, name }) => valueCase(name, flag)),
  ].filter((line) => line !== undefined);
  const globals = GLOBAL_FLAGS.flatMap(spellings).join(" ");
  const own = commands.filter((command) => command.flags.length > 0).map((command) =>
    `    ${quoted(command.name)}) _axiom_reply+=' '${quoted(command.flags.flatMap(spellings).join(" "))} ;;`
  );
  const following = ["", ...families(commands)].map((prefix) =>
    `    ${quoted(prefix)}) _axiom_reply=${
      quoted(`words ${nextWords(prefix, commands).map(({ word }) => word).join(" ")}`)
    } ;;`
  );
  return SCRIPT
    .replace("@NAMES@", () => names.map(quoted).join(" | "))
    .replace("@GLOBALS@", () => quoted(globals))
    .replace("@FLAGS@", () => own.join("\n"))
    .replace("@VALUES@", () => values.join("\n"))
    .replace("@FOLLOWING@", () => following.join("\n"))
    .replace("@ARGUMENTS@", () => argumentCases(commands).join("\n"));
}

function valueCase(name: string, flag: Parameters<typeof offerOfFlag>[0]): string | undefined {
  const offer = offerOfFlag(flag);
  if (offer === undefined) return undefined;
  const patterns = spellings(flag).map((spelling) =>
    name === "" ? `*${quoted(` ${spelling}`)}` : quoted(`${name} ${spelling}`)
  );
  return `    ${patterns.join(" | ")}) _axiom_reply=${quoted(offerText(offer))} ;;`;
}

function argumentCases(commands: readonly AnyCommand[]): string[] {
  return commands.flatMap((command) =>
    command.arguments.map((argument, place) => {
      const offer = quoted(offerText(offerOfArgument(argument, commands)));
      const pattern = argument.repeatable ? `${quoted(`${command.name} `)}*` : quoted(`${command.name} ${place}`);
      return `    ${pattern}) _axiom_reply=${offer} ;;`;
    })
  );
}

function offerText(offer: Offer): string {
  return offer.kind === "words" ? `words ${offer.words.join(" ")}` : offer.kind;
}

const SCRIPT = `# bash completion for axiom

# Flags of the command $1.
_axiom_flags() {
  _axiom_reply=@GLOBALS@
  case $1 in
@FLAGS@
  esac
}

# What follows the flag $2 of the command $1; fails if nothing does.
_axiom_value() {
  case "$1 $2" in
@VALUES@
    *) return 1 ;;
  esac
}

# What stands at place $2 of the arguments of the command $1.
_axiom_argument() {
  _axiom_reply=nothing
  if [[ $2 == 0 ]]; then
    case $1 in
@FOLLOWING@
    esac
  fi
  case "$1 $2" in
@ARGUMENTS@
  esac
}

# Offers what _axiom_reply says for the beginning $1.
_axiom_offer() {
  local line kind
  case $_axiom_reply in
    file) kind=-f ;;
    folder) kind=-d ;;
    words*) COMPREPLY=($(compgen -W "\${_axiom_reply#words}" -- "$1")); return ;;
    *) return ;;
  esac
  # Before bash 4 there is no compopt; names with spaces then need quotes by hand.
  compopt -o filenames 2> /dev/null
  while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$kind" -- "$1")
}

_axiom() {
  local _axiom_reply word words current name='' place=0 count=0 glue='' ended='' flag='' i
  COMPREPLY=()
  words=()
  # Bash may cut --flag=value into three words.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if ((count > 0)) && [[ ( $glue || $word == '=' ) && \${words[count - 1]} == --* ]]; then
      words[count - 1]+=$word
      if [[ $glue ]]; then glue=''; else glue=1; fi
    else
      words[count]=$word
      count=$((count + 1))
      glue=''
    fi
  done
  current=\${words[count - 1]}
  for ((i = 0; i < count - 1; i++)); do
    word=\${words[i]}
    flag=''
    if [[ ! $ended && $word == -- ]]; then
      ended=1
    elif [[ ! $ended && $word == -?* ]]; then
      if _axiom_value "$name" "$word"; then
        flag=$word
        i=$((i + 1))
      fi
    else
      case "\${name:+$name }$word" in
        @NAMES@) name="\${name:+$name }$word" ;;
        *) place=$((place + 1)) ;;
      esac
    fi
  done
  if [[ $flag ]] && ((i == count)); then
    _axiom_value "$name" "$flag"
    _axiom_offer "$current"
  elif [[ ! $ended && $current == --*=* ]]; then
    if _axiom_value "$name" "\${current%%=*}"; then
      _axiom_offer "\${current#*=}"
      if [[ $COMP_WORDBREAKS != *=* ]]; then COMPREPLY=("\${COMPREPLY[@]/#/\${current%%=*}=}"); fi
    fi
  elif [[ ! $ended && $current == -* ]]; then
    _axiom_flags "$name"
    COMPREPLY=($(compgen -W "$_axiom_reply" -- "$current"))
  else
    _axiom_argument "$name" "$place"
    _axiom_offer "$current"
  fi
}

complete -F _axiom axiom
`;
