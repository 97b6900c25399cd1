import { writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { judge, violationsOf } from '../test/chaos/checker.ts';
import { allFaultKinds, type FaultKind, traitsOf } from '../test/chaos/fault-kinds.ts';
import { readHistory } from '../test/chaos/history.ts';
import { progressLine, reportLines } from '../test/chaos/report.ts';
import { type Progress, runChaos } from '../test/chaos/run-chaos.ts';

// Torments a Redis and the processes that use a semaphore on it, and checks from the history that every promise was kept.
// See docs/reliability.md.

const help = `npm run chaos -- [options]

  --minutes N     for how long faults are made (default 1)
  --seed S        what the faults are drawn from (default: the time of day); the same seed draws the same faults
  --workers N     worker processes, 5 to 20 (default 8)
  --faults A,B    only these kinds; 'none' for none
  --presence MS   the presence time of the clients (default 2000)
  --pace P        2 makes faults twice as often (default 1)
  --check FOLDER  only checks the history in this folder again

Kinds of faults:
${allFaultKinds.map((kind) => `  ${kind.padEnd(17)}${traitsOf(kind).text}`).join('\n')}

Ends with 1 if a promise was broken outside the documented windows.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string', default: `${Date.now() % 86_400_000}` },
    workers: { type: 'string', default: '8' },
    faults: { type: 'string', default: allFaultKinds.join(',') },
    presence: { type: 'string', default: '2000' },
    pace: { type: 'string', default: '1' },
    check: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (values.help) {
  console.log(help);
} else if (values.check !== undefined) {
  report(values.check);
} else {
  const seed = numberOf('seed', 0, 2 ** 31);
  const folder = resolve(import.meta.dirname, '../.cache/chaos', `${seed}`);
  console.log(`seed ${seed}, history in ${relative(process.cwd(), folder)}`);
  const pace = numberOf('pace', 0.01, 100);
  await runChaos({
    seed,
    durationMs: numberOf('minutes', 0.01, 24 * 60) * 60_000,
    workers: numberOf('workers', 1, 20),
    kinds: kindsOf(values.faults),
    gapMs: { worker: 500 / pace, server: 2_500 / pace },
    folder,
    presenceMs: numberOf('presence', 2_000, 600_000),
    progress: showProgress(),
    note: (line) => console.log(line),
  });
  report(folder);
}

/** Judges a history, says so, and leaves the whole judgement beside it. */
function report(folder: string): void {
  const judgement = judge(readHistory(folder));
  writeFileSync(join(folder, 'verdicts.json'), JSON.stringify(judgement, undefined, 1));
  console.log(reportLines(judgement).join('\n'));
  if (violationsOf(judgement) > 0) process.exitCode = 1;
}

/** On a terminal one line that changes; elsewhere a line every ten seconds. */
function showProgress(): (progress: Progress) => void {
  let last: Progress | undefined;
  return (progress) => {
    const { isTTY, columns } = process.stdout;
    if (isTTY) {
      process.stdout.write(`\r\x1b[K${progressLine(progress, last).slice(0, columns - 1)}`);
      last = progress;
    } else if (progress.seconds - (last?.seconds ?? 0) >= 10) {
      console.log(progressLine(progress, last));
      last = progress;
    }
  };
}

function kindsOf(text: string): FaultKind[] {
  if (text === 'none') return [];
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !allFaultKinds.some((kind) => kind === name));
  if (unknown.length > 0) fail(`--faults: there is no ${unknown.join(', ')}. See --help.`);
  return allFaultKinds.filter((kind) => names.includes(kind));
}

function numberOf(
  name: 'minutes' | 'seed' | 'workers' | 'presence' | 'pace',
  least: number,
  most: number,
): number {
  const number = Number(values[name]);
  if (!(number >= least && number <= most)) {
    fail(`--${name} is '${values[name]}', allowed is ${least} to ${most}.`);
  }
  return number;
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
