import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Judgement, judge, violationsOf } from '../test/chaos/checker.ts';
import { allFaultKinds, type FaultKind, traitsOf } from '../test/chaos/fault-kinds.ts';
import { shortfalls } from '../test/chaos/floors.ts';
import { readHistory } from '../test/chaos/history.ts';
import { progressLine, reportLines } from '../test/chaos/report.ts';
import { type Progress, runChaos } from '../test/chaos/run-chaos.ts';
import { type Part, summaryOf } from '../test/chaos/summary.ts';
import { type TargetKind, targetKinds } from '../test/chaos/target.ts';

// Torments a Redis and the processes that use a semaphore on it, and checks from the history that every promise was kept.
// See docs/reliability.md.

const help = `npm run chaos -- [options]

  --minutes N     for how long faults are made, in all (default 1)
  --on TARGET     standalone (default), sentinel or cluster; several as A,B; 'all' for all three, one after the other
  --seed S        what the faults are drawn from (default: the time of day); the same seed draws the same faults
  --rounds N      how often all of it is done, each time with a seed of its own: S, S + 1, …; the minutes are shared (default 1)
  --workers N     worker processes, 1 to 20 (default 8)
  --faults A,B    only these kinds; 'none' for none
  --presence MS   the presence time of the clients (default 2000)
  --pace P        2 makes faults twice as often (default 1)
  --check FOLDER  only checks the histories in this folder again

Kinds of faults:
${allFaultKinds
  .map((kind) => {
    const { text, on } = traitsOf(kind);
    return `  ${kind.padEnd(17)}${text}${on === undefined ? '' : ` (${on.join(', ')})`}`;
  })
  .join('\n')}

Leaves the histories and a summary as Markdown in .cache/chaos/. Ends with 1 if a promise was broken outside the documented
windows, or if too little was done for a verdict.`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    on: { type: 'string', default: 'standalone' },
    seed: { type: 'string', default: `${Date.now() % 86_400_000}` },
    rounds: { type: 'string', default: '1' },
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
  conclude(values.check, foldersIn(values.check).map(report));
} else {
  const firstSeed = numberOf('seed', 0, 2 ** 31);
  const rounds = numberOf('rounds', 1, 1_000);
  const targets = targetsOf(values.on);
  const minutes = numberOf('minutes', 0.01, 24 * 60) / (rounds * targets.length);
  const pace = numberOf('pace', 0.01, 100);
  const shared = {
    durationMs: minutes * 60_000,
    workers: numberOf('workers', 1, 20),
    kinds: kindsOf(values.faults),
    presenceMs: numberOf('presence', 2_000, 600_000),
    gapMs: { worker: 500 / pace, server: 2_500 / pace },
  };
  const root = resolve(import.meta.dirname, '../.cache/chaos', `${firstSeed}`);
  mkdirSync(root, { recursive: true });
  const parts: Part[] = [];
  for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
    for (const on of targets) {
      const folder = join(root, `${on}-${seed}`);
      console.log(`\n${on}, seed ${seed}, history in ${relative(process.cwd(), folder)}`);
      const note = (line: string) => console.log(line);
      await runChaos({ ...shared, on, seed, folder, note, progress: showProgress() });
      parts.push(report(folder));
    }
  }
  conclude(root, parts);
}

/** Judges a history, says so, and leaves the whole judgement beside it. */
function report(folder: string): Part {
  const history = readHistory(folder);
  const judgement = judge(history);
  writeFileSync(join(folder, 'verdicts.json'), JSON.stringify(judgement, undefined, 1));
  console.log(reportLines(judgement).join('\n'));
  const settings = history.supervisor.find(({ kind }) => kind === 'settings');
  if (violationsOf(judgement) > 0) process.exitCode = 1;
  failIfTooLittle(judgement);
  if (settings?.kind !== 'settings') return fail(`${folder} has no settings in its history.`);
  return { settings: settings.settings, judgement };
}

function failIfTooLittle({ figures }: Judgement): void {
  if (values.faults === 'none') return;
  for (const lack of shortfalls(figures)) {
    console.log(`INVALID: ${lack}`);
    process.exitCode = 1;
  }
}

function conclude(folder: string, parts: readonly Part[]): void {
  const file = join(folder, 'summary.md');
  const text = summaryOf(parts);
  writeFileSync(file, text);
  if (parts.length > 1) console.log(`\n${text}`);
  console.log(`\nsummary in ${relative(process.cwd(), file)}`);
}

/** A folder of one history, or of several. */
function foldersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name === 'supervisor.jsonl')) return [folder];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

function targetsOf(text: string): TargetKind[] {
  if (text === 'all') return [...targetKinds];
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.filter((name) => !targetKinds.some((kind) => kind === name));
  if (unknown.length > 0) fail(`--on: there is no ${unknown.join(', ')}. See --help.`);
  return targetKinds.filter((kind) => names.includes(kind));
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
  name: 'minutes' | 'seed' | 'rounds' | 'workers' | 'presence' | 'pace',
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
