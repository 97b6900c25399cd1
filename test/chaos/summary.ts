import { type Judgement, violationsOf } from './checker.ts';
import { type FaultKind, traitsOf } from './fault-kinds.ts';
import type { ChaosSettings } from './history.ts';
import { type TargetKind, targetKinds } from './target.ts';

/** One history and what it amounts to. */
export interface Part {
  readonly settings: ChaosSettings;
  readonly judgement: Judgement;
}

/** The figures of all parts as Markdown: a column for each target. */
export function summaryOf(parts: readonly Part[]): string {
  const targets = targetKinds.filter((kind) => parts.some(({ settings }) => settings.on === kind));
  const on = (target: TargetKind) => parts.filter(({ settings }) => settings.on === target);
  const row = (title: string, cell: (parts: readonly Part[]) => string) => [
    title,
    ...targets.map((target) => cell(on(target))),
  ];
  const rows = [
    row('seeds', (some) => some.map(({ settings }) => settings.seed).join(', ')),
    row('time under fault', (some) => `${sum(some, ({ seconds }) => seconds)} s`),
    row('operations (requests and releases)', (some) => number(sum(some, ({ operations }) => operations))),
    row('grants', (some) => number(sum(some, ({ grants }) => grants))),
    row('worker processes', (some) => number(sum(some, ({ lives }) => lives))),
    row('permits lost', (some) => number(sum(some, ({ lost }) => lost))),
    row('snapshots', (some) => number(sum(some, ({ snapshots }) => snapshots))),
    row('how requests ended', outcomes),
    row('violations outside documented windows', (some) => {
      return `**${some.reduce((total, { judgement }) => total + violationsOf(judgement), 0)}**`;
    }),
    row('findings inside documented windows', inWindows),
    row('after the last fault all from before was settled in', (some) => {
      return seconds(Math.max(...some.map(({ judgement }) => judgement.figures.settledAfterMs)));
    }),
  ];
  const kinds = (Object.keys(merged(parts, 'faults')) as FaultKind[]).sort(
    (a, b) => Number(traitsOf(a).strikes === 'server') - Number(traitsOf(b).strikes === 'server'),
  );
  const faults = kinds.map((kind) =>
    row(`\`${kind}\``, (some) => {
      const times = merged(some, 'faults')[kind];
      if (times === undefined) return '';
      const longest = Math.max(
        ...some.map(({ judgement }) => judgement.figures.longestRecoveryMs[kind] ?? 0),
      );
      return `${times}, ${seconds(longest)}`;
    }),
  );
  return [
    table(['', ...targets], rows),
    '',
    'How often each fault was made, and the longest time from its end to the next grant:',
    '',
    table(['fault', ...targets], faults),
    '',
  ].join('\n');
}

function outcomes(parts: readonly Part[]): string {
  return Object.entries(merged(parts, 'outcomes'))
    .sort(([, a], [, b]) => (b ?? 0) - (a ?? 0))
    .map(([name, count]) => `${number(count ?? 0)} ${/[A-Z]/.test(name) ? `\`${name}\`` : name}`)
    .join(', ');
}

function inWindows(parts: readonly Part[]): string {
  const counts = new Map<string, number>();
  for (const { judgement } of parts) {
    for (const { inWindows } of judgement.verdicts) {
      for (const { window = '' } of inWindows) {
        const why = window.replace(/ \([^)]*\)$/, '');
        counts.set(why, (counts.get(why) ?? 0) + 1);
      }
    }
  }
  return [...counts].map(([why, count]) => `${count}: ${why}`).join('; ') || '0';
}

function merged(parts: readonly Part[], what: 'faults' | 'outcomes'): Partial<Record<string, number>> {
  const total: Record<string, number> = {};
  for (const { judgement } of parts) {
    for (const [name, count] of Object.entries(judgement.figures[what])) {
      total[name] = (total[name] ?? 0) + count;
    }
  }
  return total;
}

function sum(parts: readonly Part[], of: (figures: Judgement['figures']) => number): number {
  return parts.reduce((total, { judgement }) => total + of(judgement.figures), 0);
}

const number = (value: number) => value.toLocaleString('en-US');
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

/** Columns as wide as their widest cell, as formatters leave them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) =>
    Math.max(3, title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
