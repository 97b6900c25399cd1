import colors from 'picocolors';
import { showMs } from './values.ts';
import type { Sight } from './watch.ts';

/** What the rows can be in order of, and the key that asks for it. The largest first, but for names. */
export const orders = {
  u: { title: 'use', of: ({ snapshot }: Sight) => use(snapshot) },
  l: { title: 'line', of: ({ snapshot }: Sight) => snapshot.waiting },
  w: { title: 'longest wait', of: ({ snapshot }: Sight) => snapshot.oldestWaitMs },
  g: { title: 'grants', of: ({ grantsPerS }: Sight) => grantsPerS ?? -1 },
  n: { title: 'name', of: () => 0 },
} as const;
export type Order = keyof typeof orders;

export interface View {
  readonly order: Order;
  /** The name of the row that is picked. */
  readonly picked: string | undefined;
  /** Whether the picked one is shown with its holders and waiters. */
  readonly isOpen: boolean;
  /** How many lines of those are scrolled away. */
  readonly scrolled: number;
  /** What went wrong at the last look. */
  readonly failure: string | undefined;
  readonly isComplete: boolean;
}

export function inOrder(sights: readonly Sight[], order: Order): Sight[] {
  const { of } = orders[order];
  return [...sights].sort(
    (a, b) => of(b) - of(a) || (a.snapshot.name < b.snapshot.name ? -1 : 1), // and by name among equals
  );
}

/** The screen, line by line. `sights` are in order. */
export function drawTop(sights: readonly Sight[], view: View, rows: number, columns: number): string[] {
  const picked = view.isOpen ? sights.find(({ snapshot }) => snapshot.name === view.picked) : undefined;
  const body = rows - 4;
  const [head, ...lines] = picked ? one(picked, columns) : all(sights, view, columns);
  const at = picked ? 0 : sights.findIndex(({ snapshot }) => snapshot.name === view.picked);
  const first = picked ? view.scrolled : Math.max(0, at - body + 1);
  const shown = lines.slice(Math.min(first, Math.max(0, lines.length - body)), first + body);
  const keys = picked
    ? '↑↓ scroll   esc back   q quit'
    : '↑↓ pick   enter open   sort by u use, l line, w wait, g grants, n name   q quit';
  return [
    colors.bold(title(sights, view).slice(0, columns)),
    '',
    colors.dim((head ?? '').slice(0, columns)),
    ...shown,
    ...Array<string>(Math.max(0, body - shown.length)).fill(''),
    view.failure ? colors.red(view.failure.slice(0, columns)) : colors.dim(keys.slice(0, columns)),
  ];
}

function title(sights: readonly Sight[], { order, isComplete }: View): string {
  const sum = (of: (sight: Sight) => number) => sights.reduce((total, sight) => total + of(sight), 0);
  const found = isComplete ? '' : ', looking for more';
  return `parkade: ${sights.length} semaphores by ${orders[order].title}${found}; ${sum(({ snapshot }) => snapshot.held)} units held, ${sum(({ snapshot }) => snapshot.waiting)} waiting`;
}

function all(sights: readonly Sight[], { picked }: View, columns: number): string[] {
  const barWidth = columns >= 90 ? 20 : 10;
  const nameWidth = Math.max(8, columns - barWidth - 53);
  const line = (name: string, bar: string, cells: readonly string[]) =>
    `${name.slice(0, nameWidth).padEnd(nameWidth)} ${bar} ${cells.map((cell, i) => cell.padStart([11, 8, 13, 12][i] ?? 0)).join(' ')}`.slice(
      0,
      columns - 2,
    );
  const head = `  ${line('SEMAPHORE', ' '.repeat(barWidth), ['HELD/LIMIT', 'WAITING', 'LONGEST WAIT', 'GRANTS/S'])}`;
  return [
    head,
    ...sights.map(({ snapshot, grantsPerS }) => {
      const { name, held, limit, waiting, oldestWaitMs } = snapshot;
      const isPicked = name === picked;
      const text = line(name, barOf(use(snapshot), barWidth), [
        `${held}/${limit}`,
        String(waiting),
        waiting > 0 ? showMs(oldestWaitMs) : '',
        grantsPerS === undefined ? '?' : `≥ ${grantsPerS.toFixed(1)}`,
      ]);
      return isPicked ? colors.inverse(`› ${text}`) : `  ${colorOf(use(snapshot), waiting)(text)}`;
    }),
  ];
}

function one({ snapshot, grantsPerS }: Sight, columns: number): string[] {
  const { name, held, limit, holding, waiting, oldestWaitMs, holders, waiters } = snapshot;
  const more = (count: number, listed: number) => (count > listed ? [`  … and ${count - listed} more`] : []);
  const row = (client: string, weight: string, time: string, id: string) =>
    `  ${client.slice(0, 36).padEnd(36)} ${weight.padStart(5)} ${time.padStart(13)}  ${id}`.slice(0, columns);
  const numbers = `${held}/${limit} units by ${holding} permits, ${waiting} waiting, the longest ${waiting > 0 ? showMs(oldestWaitMs) : '–'}, ${grantsPerS === undefined ? '?' : `≥ ${grantsPerS.toFixed(1)}`} grants/s`;
  return [
    name,
    barOf(use(snapshot), Math.min(40, columns)),
    numbers.slice(0, columns),
    '',
    colors.dim(row('HOLDER', 'UNITS', 'LEASE ENDS IN', 'PERMIT')),
    ...holders.map((it) => row(it.client, String(it.weight), showMs(it.expiresInMs), it.id)),
    ...more(holding, holders.length),
    '',
    colors.dim(row('WAITER', 'UNITS', 'WAITS FOR', 'PERMIT')),
    ...waiters.map((it) => row(it.client, String(it.weight), showMs(it.waitingMs), it.id)),
    ...more(waiting, waiters.length),
  ];
}

function use({ held, limit }: Sight['snapshot']): number {
  return limit > 0 ? held / limit : held > 0 ? 1 : 0;
}

function barOf(part: number, width: number): string {
  const full = Math.min(width, Math.round(part * width));
  return '█'.repeat(full) + '░'.repeat(width - full);
}

function colorOf(part: number, waiting: number): (text: string) => string {
  return waiting > 0 ? colors.red : part >= 0.8 ? colors.yellow : (text) => text;
}
