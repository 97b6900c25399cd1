/**
 * Each asks `parkade complete`, which prints a candidate a line, with a tab and what it is, and ends with 0; or says by its
 * exit code that a file is wanted (2), or another program and its arguments (3).
 */
export const scripts = {
  // Words are taken from the line, since bash cuts them at colons, which names have; what stands before the last colon is
  // not ours to repeat then. Needs nothing but bash 4: not everybody has bash-completion.
  bash: `_parkade() {
  local line="\${COMP_LINE:0:COMP_POINT}" words word current prefix i
  read -ra words <<< "$line"
  [[ "$line" == *[[:space:]] ]] && words+=('')
  current="\${words[-1]}"
  COMPREPLY=()
  local found status
  found="$(parkade complete -- "\${words[@]:1}" 2>/dev/null)"
  status=$?
  if (( status == 2 )); then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  elif (( status == 3 )); then
    for (( i = 0; i < \${#words[@]} - 1; i++ )); do [[ "\${words[i]}" == -- ]] && break; done
    if (( i == \${#words[@]} - 2 )) && [[ "$current" != */* ]]; then
      mapfile -t COMPREPLY < <(compgen -c -- "$current" | sort -u)
    else
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
  elif [[ -n "$found" ]]; then
    prefix=
    if [[ "$current" == *[:=]* && "$COMP_WORDBREAKS" == *:* ]]; then prefix="\${current%"\${current##*[:=]}"}"; fi
    while IFS=$'\\t' read -r word _; do
      COMPREPLY+=("$(printf %q "\${word#"$prefix"}")")
    done <<< "$found"
  fi
}
complete -F _parkade parkade`,

  zsh: `#compdef parkade
_parkade() {
  local -a found described
  local output line code at
  output="$(parkade complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)"
  code=$?
  if (( code == 2 )); then
    _files
  elif (( code == 3 )); then
    at=\${words[(i)--]}
    words=("\${(@)words[at+1,-1]}")
    (( CURRENT -= at ))
    _normal
  elif [[ -n "$output" ]]; then
    found=("\${(@f)output}")
    for line in "\${found[@]}"; do
      described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    done
    _describe parkade described
  fi
}
if [[ "\${funcstack[1]}" == _parkade ]]; then _parkade "$@"; else compdef _parkade parkade; fi`,

  fish: `function __parkade_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found (parkade complete -- $words[2..-1] "$current" 2>/dev/null)
  switch $status
    case 2
      __fish_complete_path "$current"
    case 3
      set -l at (contains -i -- -- $words)
      set -e words[1..$at]
      complete -C (string join ' ' -- (string escape -- $words) "$current")
    case '*'
      test (count $found) -gt 0; and printf '%s\\n' $found
  end
end
complete -c parkade -f -a '(__parkade_complete)'`,
} as const;
