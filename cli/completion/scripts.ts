/** What a shell has to read to complete our command lines; each asks `ovn-handover __complete`. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const BASH = `_ovn_handover() {
  local IFS=$'\\n'
  COMPREPLY=($(ovn-handover __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | grep -v '^:'))
}
complete -F _ovn_handover ovn-handover`;

const ZSH = `#compdef ovn-handover
_ovn_handover() {
  compadd -- \${(f)"$(ovn-handover __complete "\${(@)words[2,CURRENT]}" 2>/dev/null | grep -v '^:')"}
}
compdef _ovn_handover ovn-handover`;

const FISH = `complete -c ovn-handover -f -a '(ovn-handover __complete (commandline -opc)[2..] (commandline -ct) 2>/dev/null | string match -v ":*")'`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
