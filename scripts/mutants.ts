import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { letReadersLeave } from '../support/let-readers-leave.ts';
import { startRedis } from '../support/redis/start-redis.ts';
import { mutants } from '../test/mutants/list.ts';
import type { Mutant } from '../test/mutants/mutant.ts';
import { type Outcome, Workshop } from '../test/mutants/workshop.ts';

// Breaks a copy of the project in every way of the list, one at a time, and runs the tests that must notice.

const help = `npm run mutants -- [options]

  --only TEXT    those whose name, rule, file or suite contains the text
  --part I/N     the I-th of N parts of them
  --jobs N       how many are tried at once (default 2)
  --list         only says which there are

Breaks a copy of the project in known ways (test/mutants/), one at a time. Each suite that is named for one must notice by
itself. One that survives is a missing test. First the suites are run on what is not broken: they have to pass there.

Ends with 1 if a mutant survived, or proves nothing.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    jobs: { type: 'string', default: '2' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

letReadersLeave();

/** One mutant before one suite. */
interface Trial {
  readonly mutant: Mutant;
  readonly suite: string;
}

const chosen = trialsOf(values.only, values.part);
if (values.help) {
  console.log(help);
} else if (chosen.length === 0 || !(Number(values.jobs) >= 1)) {
  console.error('There is nothing to do for these options. See --help.');
  process.exitCode = 2;
} else if (values.list) {
  for (const { mutant, suite } of chosen) {
    console.log(`${mutant.name} (${mutant.breaks}): ${mutant.file}, ${suite}`);
  }
} else {
  await main();
}

async function main(): Promise<void> {
  process.once('SIGINT', () => process.exit(130)); // whose end ends what was started
  process.once('SIGTERM', () => process.exit(143));
  const startMs = performance.now();
  await using redis = await startRedis({ own: true });
  const workshops = Array.from({ length: Number(values.jobs) }, () => new Workshop(redis.url));
  try {
    const suites = [...new Set(chosen.map(({ suite }) => suite))];
    const unfit = new Set<string>();
    await inParallel(workshops, suites, async (workshop, suite, done) => {
      const outcome = await workshop.run(suite);
      if (outcome.kind !== 'passed') unfit.add(suite);
      say(outcome.kind === 'passed', `${done}/${suites.length} ${suite} unbroken: ${inWords(outcome)}`);
    });
    if (unfit.size > 0) {
      console.log(`What fails anyway notices nothing: ${[...unfit].join(', ')}.`);
    }

    const trials = chosen.filter(({ suite }) => !unfit.has(suite));
    const survivors: [Trial, Outcome][] = [];
    await inParallel(workshops, trials, async (workshop, trial, done) => {
      const { mutant, suite } = trial;
      const outcome: Outcome = await workshop.broken(mutant, () => workshop.run(suite));
      if (outcome.kind !== 'failed') survivors.push([trial, outcome]);
      say(
        outcome.kind === 'failed',
        `${done}/${trials.length} ${mutant.name} ${pc.dim(`(${suite})`)}: ${inWords(outcome)}`,
      );
    });
    conclude(trials.length, survivors, performance.now() - startMs);
    if (unfit.size > 0) process.exitCode = 1;
  } finally {
    for (const workshop of workshops) workshop[Symbol.dispose]();
  }
}

function conclude(tried: number, survivors: readonly (readonly [Trial, Outcome])[], ms: number): void {
  if (survivors.length > 0) {
    process.exitCode = 1;
    console.log('\nNot noticed:\n');
    const rows = survivors.map(([{ mutant, suite }, outcome]) => [
      mutant.name,
      mutant.breaks,
      mutant.file,
      suite,
      inWords(outcome),
    ]);
    for (const line of table([['mutant', 'breaks', 'file', 'suite', 'outcome'], ...rows])) console.log(line);
  }
  const noticed = tried - survivors.length;
  console.log(`\n${noticed} of ${tried} noticed, in ${Math.round(ms / 1000)} s.`);
}

/** Everything once, in whichever workshop is free. */
async function inParallel<T>(
  workshops: readonly Workshop[],
  items: readonly T[],
  act: (workshop: Workshop, item: T, done: number) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  let done = 0;
  await Promise.all(
    workshops.map(async (workshop) => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        await act(workshop, item, ++done);
      }
    }),
  );
}

function trialsOf(only: string, part: string): Trial[] {
  const [, index = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(part) ?? []).map(Number);
  const all = mutants
    .flatMap((mutant) => mutant.caughtBy.map((suite) => ({ mutant, suite })))
    .filter(({ mutant: { name, breaks, file }, suite }) =>
      [name, breaks, file, suite].some((text) => text.includes(only)),
    );
  const from = (i: number) => Math.round((all.length * i) / parts);
  return index >= 1 && index <= parts ? all.slice(from(index - 1), from(index)) : [];
}

function inWords(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'failed':
      return `noticed by ${pc.dim(`“${outcome.test}” ${seconds(outcome.ms)}`)}`;
    case 'passed':
      return `${outcome.tests} tests pass, ${seconds(outcome.ms)}`;
    case 'invalid':
      return `proves nothing: ${outcome.why}`;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function say(isGood: boolean, text: string): void {
  console.log(`${isGood ? pc.green('✔') : pc.red('✖')} ${text}`);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_cell, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
