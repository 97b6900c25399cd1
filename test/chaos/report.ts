import pc from 'picocolors';
import { type Judgement, violationsOf } from './checker.ts';
import type { Progress } from './run-chaos.ts';
import type { Finding, Verdict } from './verdict.ts';

/** How many findings of a promise are printed; all are in verdicts.json. */
const shown = 5;

export function progressLine(
  { seconds, phase, grants, faults, suspects }: Progress,
  last: Progress | undefined,
): string {
  const rate = Math.round((grants - (last?.grants ?? 0)) / Math.max(1, seconds - (last?.seconds ?? 0)));
  const total = [...faults.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...faults].map(([kind, count]) => `${kind} ${count}`).join(', ');
  return `${seconds} s ${phase}: ${grants} grants, ${rate}/s, ${total} faults (${kinds}), ${suspects} suspects`;
}

/** Everything that there is to say of a run, for humans. */
export function reportLines(judgement: Judgement): string[] {
  const { verdicts, figures } = judgement;
  const { faults, longestRecoveryMs, outcomes } = figures;
  const kinds = Object.entries(faults).map(
    ([kind, count]) => `${kind} ${count} (${longestRecoveryMs[kind as keyof typeof faults] ?? 0} ms)`,
  );
  const violations = violationsOf(judgement);
  return [
    '',
    ...verdicts.flatMap(verdictLines),
    '',
    `${figures.seconds} s under fault, ${figures.operations} operations, ${figures.grants} grants, ${figures.lost} permits lost, ` +
      `${figures.lives} worker processes, ${figures.snapshots} snapshots, ${figures.staleWritesRefused} stale entries and writes refused`,
    `requests: ${Object.entries(outcomes)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    `faults, with the longest time from their end to the next grant: ${kinds.join(', ') || 'none'}`,
    `everything from before was settled ${figures.settledAfterMs} ms after the last fault`,
    ...figures.notes.map((note) => pc.yellow(`a fault could not be made: ${note}`)),
    violations === 0
      ? pc.green('no violation outside the documented windows')
      : pc.red(`${violations} violations`),
  ];
}

function verdictLines({ promise, looked, violations, inWindows }: Verdict): string[] {
  const mark = violations.length > 0 ? pc.red('✖') : looked === 0 ? pc.yellow('?') : pc.green('✔');
  const inside = inWindows.length > 0 ? `, ${inWindows.length} in documented windows` : '';
  return [
    `${mark} ${promise}: ${violations.length} violations${inside}, ${looked} cases`,
    ...list(violations),
    ...list(inWindows),
  ];
}

function list(findings: readonly Finding[]): string[] {
  const lines = findings.slice(0, shown).map(({ at, what, window }) => {
    return pc.dim(`    ${(at / 1e6).toFixed(3)} s ${what}${window === undefined ? '' : ` [${window}]`}`);
  });
  return findings.length > shown ? [...lines, pc.dim(`    and ${findings.length - shown} more`)] : lines;
}
