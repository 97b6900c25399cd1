import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break the command. */
export const cliMutants: readonly Mutant[] = [
  ...mutantsOf('src/cli/child.ts', 'cli/run-on-a-terminal', [
    {
      name: 'what the whole group got is passed on as well',
      breaks: 'the command gets each signal once',
      from: 'if (!(heard ?? (process.stdin.isTTY && fromTerminal.includes(signal)))) {',
      to: 'if (true) {',
    },
    {
      name: 'what came to parkade alone is not passed on',
      breaks: 'the command gets each signal once',
      from: 'if (!(heard ?? (process.stdin.isTTY && fromTerminal.includes(signal)))) {',
      to: 'if (!heard && !process.stdin.isTTY) {',
    },
    {
      name: 'parkade does not stop with its command',
      breaks: 'Ctrl-Z gives the shell its prompt',
      from: '      stopSelf(this.#pass);\n',
      to: '',
    },
  ]),
  ...mutantsOf('src/cli/companion.ts', 'cli/run', [
    {
      name: 'the command runs on when parkade was killed',
      breaks: 'no orphans',
      from: 'kill -TERM "$1" || exit; kill -CONT "$1"\n',
      to: 'exit\n',
    },
    {
      name: 'the command that ignores SIGTERM runs on when parkade was killed',
      breaks: 'no orphans',
      from: '\nkill -KILL "$1"`',
      to: '`',
    },
  ]),
  ...mutantsOf('src/cli/place-in-line.ts', 'cli/run-on-a-terminal', [
    {
      name: 'the place in line stays on the terminal',
      breaks: 'the terminal is left clean',
      from: '    clearInterval(this.#timer);\n    this.hide();\n',
      to: '    clearInterval(this.#timer);\n',
    },
  ]),
];
