import type { Mutant } from './mutant.ts';

/** Ways to break the command. */
export const cliMutants: readonly Mutant[] = [
  {
    name: 'what the whole group got is passed on as well',
    breaks: 'the command gets each signal once',
    file: 'src/cli/child.ts',
    from: 'if (!(heard ?? (process.stdin.isTTY && fromTerminal.includes(signal)))) {',
    to: 'if (true) {',
    caughtBy: ['test/cli/run-on-a-terminal.test.ts'],
  },
  {
    name: 'what came to parkade alone is not passed on',
    breaks: 'the command gets each signal once',
    file: 'src/cli/child.ts',
    from: 'if (!(heard ?? (process.stdin.isTTY && fromTerminal.includes(signal)))) {',
    to: 'if (!heard && !process.stdin.isTTY) {',
    caughtBy: ['test/cli/run-on-a-terminal.test.ts'],
  },
  {
    name: 'parkade does not stop with its command',
    breaks: 'Ctrl-Z gives the shell its prompt',
    file: 'src/cli/child.ts',
    from: '      stopSelf(this.#pass);\n',
    to: '',
    caughtBy: ['test/cli/run-on-a-terminal.test.ts'],
  },
  {
    name: 'the command runs on when parkade was killed',
    breaks: 'no orphans',
    file: 'src/cli/companion.ts',
    from: 'kill -TERM "$1" || exit; kill -CONT "$1"\n',
    to: 'exit\n',
    caughtBy: ['test/cli/run.test.ts'],
  },
  {
    name: 'the command that ignores SIGTERM runs on when parkade was killed',
    breaks: 'no orphans',
    file: 'src/cli/companion.ts',
    from: '\nkill -KILL "$1"`',
    to: '`',
    caughtBy: ['test/cli/run.test.ts'],
  },
  {
    name: 'the place in line stays on the terminal',
    breaks: 'the terminal is left clean',
    file: 'src/cli/place-in-line.ts',
    from: '    clearInterval(this.#timer);\n    this.hide();\n',
    to: '    clearInterval(this.#timer);\n',
    caughtBy: ['test/cli/run-on-a-terminal.test.ts'],
  },
];
