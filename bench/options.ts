import { parseArgs } from 'node:util';
import type { Scenario } from './scenario.ts';

export interface Options {
  readonly help: boolean;
  readonly quick: boolean;
  readonly scenarios: readonly Scenario[];
  /** Instead of each scenario's own number. */
  readonly rounds: number | undefined;
  readonly json: string | undefined;
  /** The file of an earlier run, to be shown instead of measuring. */
  readonly from: string | undefined;
  readonly docs: boolean;
  /** The folder for CPU profiles. */
  readonly profiles: string | undefined;
}

/** Why the command line won't do, for a human. */
export class UsageError extends Error {}

export function helpOf(scenarios: readonly Scenario[]): string {
  return `npm run bench -- [options]

Measures parkade beside its peers and the bounds of what is possible, on a Redis that it starts itself: in each round
all contenders in turn, each in processes of its own. The table goes to stdout, progress to stderr.

  --only A,B      only these scenarios
  --rounds N      rounds of each scenario, 1 to 100 (default: each scenario's own, 1 to 5)
  --quick         one short round with everything scaled down: whether it runs, within a minute. Its figures mean nothing
  --json FILE     writes every sample of every round to FILE as well
  --from FILE     measures nothing, but shows what --json wrote
  --profile DIR   writes a CPU profile of every worker into DIR/CONTENDER, which costs speed: for use with --only
  --docs          writes table and figures into docs/performance.md and README.md, and plots into docs/bench/
  --help          this

Scenarios:
${scenarios.map(({ name, what }) => `  ${name.padEnd(10)}${what}`).join('\n')}

A full run takes up to ten minutes and wants a quiet machine. It ends with 1 if a contender broke down; a reach that was
not met is said in the table, and is no failure.`;
}

/** @throws UsageError */
export function parseOptions(args: readonly string[], scenarios: readonly Scenario[]): Options {
  const values = parse(args);
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds >= 1 && rounds <= 100)) {
    throw new UsageError(`--rounds is '${values.rounds}', allowed is 1 to 100.`);
  }
  if (values.docs && (values.quick || values.only.length > 0)) {
    throw new UsageError('--docs wants a full run: neither --quick nor --only.');
  }
  return {
    help: values.help,
    quick: values.quick,
    scenarios: choose(values.only, scenarios),
    rounds,
    json: values.json,
    from: values.from,
    docs: values.docs,
    profiles: values.profile,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string' },
        json: { type: 'string' },
        from: { type: 'string' },
        docs: { type: 'boolean', default: false },
        profile: { type: 'string' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function choose(only: readonly string[], scenarios: readonly Scenario[]): readonly Scenario[] {
  const names = only.flatMap((text) => text.split(',')).map((name) => name.trim());
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    const known = scenarios.map(({ name }) => name).join(', ');
    throw new UsageError(`--only: there is no '${unknown.join("', '")}', but ${known}.`);
  }
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name));
}
