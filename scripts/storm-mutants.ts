import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startRedis } from '../support/redis/start-redis.ts';
import type { Verdict } from '../test/chaos/verdict.ts';
import { stormed } from '../test/mutants/storms.ts';
import { Workshop } from '../test/mutants/workshop.ts';

// Whether the history checker would notice: storms of faults around an implementation broken on purpose.

const help = `npm run mutants:storms -- [options]

  --only TEXT    those whose name contains the text
  --part I/N     the I-th of N parts of them
  --minutes N    for how long faults are made around each (default 0.33)
  --seed S       what the faults are drawn from (default 77)

Prints a table in Markdown: what was broken, the faults made meanwhile, and how often each promise was seen broken. Ends with 0 whatever was noticed:
the mutants that must be noticed are those of npm run mutants.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    minutes: { type: 'string', default: '0.33' },
    seed: { type: 'string', default: '77' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** A storm takes this much longer than its faults: start, calm, and what is still to be settled. */
const besidesMs = 90_000;

const [, index = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(values.part) ?? []).map(Number);
const named = stormed.filter(({ mutant }) => mutant.name.includes(values.only));
const at = (i: number) => Math.round((named.length * i) / parts);
const chosen = index >= 1 && index <= parts ? named.slice(at(index - 1), at(index)) : [];
const minutes = Number(values.minutes);

if (values.help) {
  console.log(help);
} else if (chosen.length === 0 || !(minutes > 0) || !(Number(values.seed) >= 0)) {
  console.error('There is nothing to do for these options. See --help.');
  process.exitCode = 2;
} else {
  process.once('SIGINT', () => process.exit(130)); // whose end ends what was started
  process.once('SIGTERM', () => process.exit(143));
  console.log('| broken on purpose | faults | what noticed, and how often |\n| - | - | - |');
  await using redis = await startRedis({ own: true });
  using workshop = new Workshop(redis.url);
  for (const { mutant, faults } of chosen) {
    const found = await workshop.broken(mutant, () => storm(workshop, faults));
    console.log(
      `| ${mutant.name} | ${faults ?? 'all'} | ${typeof found === 'string' ? found : `**invalid**: ${found.why}`} |`,
    );
  }
}

async function storm(workshop: Workshop, faults: string | undefined): Promise<string> {
  const history = join(workshop.folder, '.cache/chaos', values.seed, `standalone-${values.seed}`);
  rmSync(history, { recursive: true, force: true });
  const args = ['--minutes', values.minutes, '--seed', values.seed, '--workers', '7'];
  if (faults !== undefined) args.push('--faults', faults);
  const { isTimedOut } = await workshop.command(
    'tsx',
    ['scripts/chaos.ts', ...args],
    minutes * 60_000 + besidesMs,
  );
  if (isTimedOut) return 'the storm did not come to its end';
  const { verdicts }: { verdicts: Verdict[] } = JSON.parse(
    readFileSync(join(history, 'verdicts.json'), 'utf8'),
  );
  const broken = verdicts.filter(({ violations }) => violations.length > 0);
  return broken.length === 0
    ? '**not noticed**'
    : broken.map(({ promise, violations }) => `${promise} (${violations.length})`).join(', ');
}
