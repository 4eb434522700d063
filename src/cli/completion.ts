/**
 * What makes a shell complete the flags of the command, from their table.
 *
 * @module
 */

import type { Flag } from "./flags.ts";
import { FLAGS } from "./flags.ts";

/** A flag, with its words: those with dashes. */
interface Row {
  name: string;
  words: string[];
  flag: Flag;
}

/**
 * Writes a script for a shell.
 *
 * @param shell Which.
 * @returns The script, for the shell to read when it starts.
 */
export function completion(shell: "bash" | "zsh" | "fish"): string {
  const rows = Object.entries<Flag>(FLAGS).map(([name, flag]): Row => ({
    name,
    flag,
    words: [...flag.short === undefined ? [] : [`-${flag.short}`], `--${name}`],
  }));
  return { bash, zsh, fish }[shell](rows);
}

/** Line by line, as a name may have spaces; bash 3.2 of macOS has no mapfile. */
const FILES = `local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"))`;

function bash(rows: Row[]): string {
  const cases = rows.filter(({ flag }) => flag.value !== undefined).map(
    ({ words, flag: { offers } }) => {
      const found = offers === "files"
        ? FILES
        : offers === undefined
        ? "COMPREPLY=()"
        : `COMPREPLY=($(compgen -W "${offers.join(" ")}" -- "$cur"))`;
      return `    ${words.join("|")}) ${found}; return ;;`;
    },
  );
  const all = rows.flatMap(({ words }) => words).join(" ");
  return `\
# pmap --completion bash > ~/.local/share/bash-completion/completions/pmap
_pmap() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  # Of --flag=value, bash makes three words.
  if [[ $cur == = ]]; then cur=; fi
  if [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case "$prev" in
${cases.join("\n")}
  esac
  case "$cur" in
    -*) COMPREPLY=($(compgen -W "${all}" -- "$cur")) ;;
    *) ${FILES} ;;
  esac
}
complete -o filenames -F _pmap pmap`;
}

function zsh(rows: Row[]): string {
  const specs = rows.map(({ words, flag: { doc, value, offers } }) => {
    const names = words.length === 1
      ? words[0]
      : `'(${words.join(" ")})'{${words.join(",")}}`;
    const action = offers === "files"
      ? "_files"
      : offers === undefined
      ? " "
      : `(${offers.join(" ")})`;
    const takes = value === undefined ? "" : `:${value}:${action}`;
    return `  ${names}${quoted(`[${doc.replace(/[[\]:]/g, "\\$&")}]${takes}`)}`;
  });
  return `\
#compdef pmap
# pmap --completion zsh > a folder of $fpath, as _pmap
_arguments -s \\
${specs.join(" \\\n")} \\
  '*:file:_files'`;
}

function fish(rows: Row[]): string {
  const lines = rows.map(({ name, flag: { doc, short, value, offers } }) =>
    [
      "complete -c pmap",
      `-l ${name}`,
      ...short === undefined ? [] : [`-s ${short}`],
      ...value === undefined ? [] : [offers === "files" ? "-r" : "-x"],
      ...Array.isArray(offers) ? [`-a ${quoted(offers.join(" "))}`] : [],
      `-d ${quoted(doc)}`,
    ].join(" ")
  );
  const head =
    "# pmap --completion fish > ~/.config/fish/completions/pmap.fish";
  return [head, ...lines].join("\n");
}

/** For a shell, in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
