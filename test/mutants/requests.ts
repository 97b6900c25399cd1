import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break how the client settles requests. */
export const requestsMutants: readonly Mutant[] = [
  ...mutantsOf('src/acquirer.ts', 'client/abort', [
    {
      name: 'settled requests give nothing back',
      breaks: 'load-bearing: settled requests give back',
      from: '      if (token !== 0 && keeper.get(record) === undefined) {\n        this.#events.unwanted(record);\n      }\n',
      to: '',
    },
    {
      name: 'a place in line that is left over stays',
      breaks: 'load-bearing: settled requests give back',
      from: '    } else if (keeper.get(record) === undefined) {',
      to: '    } else if (false) {',
    },
    {
      name: 'a request that failed is not cancelled',
      breaks: 'guarantee 3: a request that ended holds nothing',
      from: '    if (waiter.sent) {\n      this.#events.unwanted(waiter.record);\n    }\n',
      to: '',
    },
    {
      name: 'late grants are handed out',
      breaks: 'load-bearing: late grants refused',
      from: 'if (clock.monotonicMs() >= deadlineMs) {',
      to: 'if (false) {',
      caughtBy: ['client/lost-permits', "interleavings > 'late replies'"],
    },
  ]),
  {
    name: 'a release that was overtaken in the background was not one',
    breaks: 'guarantee 6: what was held and is released says so',
    file: 'src/releaser.ts',
    from: '} else if (leaving !== undefined && answer === true) {',
    to: '} else if (false) {',
    caughtBy: ["interleavings > 'calls that overtake'"],
  },
  ...mutantsOf('src/outbox.ts', 'client/bursts', [
    {
      name: 'all that is asked for is under way at once',
      breaks: 'a hundred thousand requests of one turn keep nobody waiting for longer than an attempt',
      from: 'start < entries.length && open.underWay < mostUnderWay',
      to: 'start < entries.length',
    },
    {
      name: 'what was held back stays so',
      breaks: 'nothing hangs',
      from: '      if (open.holdsBack) {\n        this.flush();\n      }\n',
      to: '',
    },
  ]),
  ...mutantsOf('src/attempts.ts', 'client/dropped-replies', [
    {
      name: 'attempts have no timer',
      breaks: 'every call has its own attempt timer',
      from: 'reject(new AttemptTimeout(',
      to: 'void (new AttemptTimeout(',
      caughtBy: ['client/dropped-replies', "interleavings > 'lost replies'"],
    },
  ]),
  ...mutantsOf('src/redis/dialling.ts', 'unit/dialling', [
    {
      name: 'a connection of our own may pause for longer than others wait for what it holds',
      breaks: 'load-bearing: closed window',
      from: 'pauseMs: Math.min(longestPauseMs, presenceMs / 4)',
      to: 'pauseMs: longestPauseMs',
    },
    {
      name: 'all come back at the same moment',
      breaks: 'failure 22: a reconnect storm',
      from: ' * (0.5 + Math.random() / 2)',
      to: '',
    },
  ]),
];
