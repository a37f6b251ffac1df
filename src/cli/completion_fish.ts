import type { AnyCommand, Flag } from "./command.ts";
import { families, nextWords, type Offer, offerOfArgument, offerOfFlag, spellings } from "./completion_model.ts";
import { GLOBAL_FLAGS } from "./global_flags.ts";
import { takesValue } from "./tokens.ts";

/** For fish 3.1 and later. */
export function fishScript(commands: readonly AnyCommand[]): string {
  const lines = ["complete -c axiom -f"];
  for (const flag of GLOBAL_FLAGS) lines.push(flagLine("", flag));
  for (const prefix of ["", ...families(commands)]) {
    for (const { word, summary } of nextWords(prefix, commands)) {
      lines.push(`complete -c axiom -n ${quoted(`__axiom_at ${quoted(prefix)} 0`)} -a ${word} -d ${quoted(summary)}`);
    }
  }
  for (const command of commands) {
    for (const flag of command.flags) lines.push(flagLine(condition(command), flag));
    command.arguments.forEach((argument, place) => {
      const offered = offerFlags(offerOfArgument(argument, commands));
      const where = `__axiom_at ${quoted(command.name)} ${argument.repeatable ? "" : place}`.trimEnd();
      if (offered !== "") lines.push(`complete -c axiom -n ${quoted(where)} ${offered}`);
    });
  }
  const names = [...families(commands), ...commands.map(({ name }) => name)];
  const valued = [
    ...GLOBAL_FLAGS.filter(takesValue).flatMap(spellings).map((spelling) => quoted(`* ${spelling}`)),
    ...commands.flatMap(({ name, flags }) =>
      flags.filter(takesValue).flatMap(spellings).map((spelling) => quoted(`${name} ${spelling}`))
    ),
  ];
  return SCRIPT
    .replace("@NAMES@", () => names.map(quoted).join(" "))
    .replace("@VALUED@", () => valued.join(" "))
    .replace("@COMPLETE@", () => lines.join("\n"));
}

function condition(command: AnyCommand): string {
  return ` -n ${quoted(`__axiom_at ${quoted(command.name)}`)}`;
}

function flagLine(where: string, flag: Flag): string {
  const short = flag.short === undefined ? "" : ` -s ${flag.short}`;
  const offer = offerOfFlag(flag);
  const value = offer === undefined ? "" : ` ${offer.kind === "file" ? "-r" : "-x"} ${offerFlags(offer)}`.trimEnd();
  return `complete -c axiom${where}${short} -l ${flag.long}${value} -d ${quoted(flag.description)}`;
}

function offerFlags(offer: Offer): string {
  switch (offer.kind) {
    case "file":
      return "-F";
    case "folder":
      return `-a ${quoted("(__fish_complete_directories (commandline -ct))")}`;
    case "words":
      return `-a ${quoted(offer.words.join(" "))}`;
    case "nothing":
      return "";
  }
}

/** In fish's single quotes only the quote and the backslash are special. */
function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

const SCRIPT = `# fish completion for axiom

# Whether the command $argv[1] was typed, and if $argv[2] is given, that many arguments after it.
function __axiom_at
    set -l name ''
    set -l place 0
    set -l skip 0
    set -l ended 0
    for word in (commandline -opc)[2..-1]
        if test $skip -eq 1
            set skip 0
            continue
        end
        if test $ended -eq 0
            switch $word
                case --
                    set ended 1
                    continue
                case '--*=*'
                    continue
                case '-*'
                    switch "$name $word"
                        case @VALUED@
                            set skip 1
                    end
                    continue
            end
        end
        set -l longer (string trim -- "$name $word")
        if contains -- $longer @NAMES@
            set name $longer
        else
            set place (math $place + 1)
        end
    end
    test "$name" = "$argv[1]"; or return 1
    test (count $argv) -eq 1; or test $place -eq $argv[2]
end

@COMPLETE@
`;
