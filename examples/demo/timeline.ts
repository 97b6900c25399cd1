/** The picture of a run: events in, text out. Every glyph is one column wide, and shapes say what the colours say. */
import type pc from 'picocolors';
import { type DemoEvent, type Plan, type Turn, turnsOf } from './events.ts';

export interface View {
  readonly plan: Plan;
  readonly nowMs: number;
  /** Columns of the terminal; no line is longer. */
  readonly width: number;
  readonly colors: ReturnType<typeof pc.createColors>;
}

type Paint = (text: string) => string;
type Cell = readonly [glyph: string, paint: Paint];

/** What one column stands for. */
const columnMs = 100;
const labelWidth = 9;

/** A lane for each worker with a row for each of its hands, and below them the sum of each column, and the time. */
export function lanesOf(events: readonly DemoEvent[], view: View): string[] {
  const { plan, width, colors } = view;
  const turns = turnsOf(events);
  const startMs = turns[0]?.askedAtMs ?? view.nowMs;
  const columnOf = (atMs: number) => Math.floor((atMs - startMs) / columnMs);
  const columns = Math.max(1, columnOf(view.nowMs) + 1);
  const shown = Math.max(1, width - labelWidth - 1);
  const row = (title: string, cells: Cell[], paint: Paint) =>
    line([...cellsOf(title.padEnd(labelWidth), paint), ['│', colors.dim], ...cells.slice(-shown)], width);

  const lines = [line(legend(colors), width)];
  const sums = new Array<number>(columns).fill(0);
  for (let worker = 1; worker <= plan.workers; worker++) {
    const own = turns.filter((turn) => turn.worker === worker);
    const paint = own.some(({ end }) => end === 'killed') ? colors.red : colors.bold;
    for (let hand = 0; hand < plan.perWorker; hand++) {
      const cells: Cell[] = cellsOf(' '.repeat(columns), String);
      for (const turn of own.filter((each) => each.hand === hand)) {
        const [from, to] = draw(turn, cells, columnOf, view);
        for (let column = from; column < to; column++) {
          sums[column] = (sums[column] ?? 0) + 1;
        }
      }
      lines.push(row(hand === 0 ? `worker ${worker}` : '', cells, paint));
    }
  }
  const sumCells = sums.map((sum): Cell => [String(sum), sum > plan.limit ? colors.red : colors.green]);
  lines.push(row('held', sumCells, colors.bold));
  lines.push(row('', axis(columns, colors.dim), colors.dim));
  return lines;
}

/** The line, head first, and how many requests were answered. */
export function statusOf(events: readonly DemoEvent[], view: View): string[] {
  const { plan, width, colors } = view;
  const { waiters, answered } = stateOf(events);
  const inLine = waiters.map((worker) => ` w${worker}`).join('');
  const room = Math.max(0, width - labelWidth - ` ${plan.requests} of ${plan.requests}`.length);
  const full = Math.round((room * answered) / plan.requests);
  return [
    line(
      [
        ...cellsOf('in line'.padEnd(labelWidth), colors.bold),
        ...cellsOf(String(waiters.length), colors.yellow),
        ...cellsOf(inLine && `, head first:${inLine}`, colors.yellow),
      ],
      width,
    ),
    line(
      [
        ...cellsOf('answered'.padEnd(labelWidth), colors.bold),
        ...cellsOf('█'.repeat(full), colors.cyan),
        ...cellsOf('─'.repeat(room - full), colors.dim),
        ...cellsOf(` ${answered} of ${plan.requests}`, String),
      ],
      width,
    ),
  ];
}

/** How things stand, in one line of plain text. */
export function sentenceOf(events: readonly DemoEvent[], plan: Plan, nowMs: number): string {
  const { holding, waiters, answered, startMs } = stateOf(events);
  const seconds = ((nowMs - (startMs ?? nowMs)) / 1000).toFixed(1).padStart(4);
  const held = holding.map(({ worker, request }) => `worker ${worker} #${request}`).join(', ');
  return `${seconds} s  answered ${answered} of ${plan.requests}, in line ${waiters.length}, holding ${holding.length}${held && `: ${held}`}`;
}

/** Breaks a text between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && longer.length <= width) {
      lines[lines.length - 1] = longer;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

function stateOf(events: readonly DemoEvent[]) {
  const turns = turnsOf(events);
  const seen = events.findLast((event) => event.kind === 'seen');
  return {
    startMs: turns[0]?.askedAtMs,
    holding: turns.filter((turn) => turn.grantedAtMs !== undefined && turn.endedAtMs === undefined),
    waiters: (seen?.waiters ?? []).map(({ worker }) => worker),
    answered: new Set(turns.filter(({ end }) => end === 'answered').map(({ request }) => request)).size,
  };
}

/** Puts a turn into its row; returns the columns in which it held. */
function draw(
  turn: Turn,
  cells: Cell[],
  columnOf: (atMs: number) => number,
  { nowMs, colors }: View,
): [from: number, to: number] {
  const put = (from: number, to: number, text: string, paint: Paint) => {
    for (let i = 0; i < to - from && from + i < cells.length; i++) {
      cells[from + i] = [text[i % text.length] ?? ' ', paint];
    }
  };
  const end = columnOf(turn.endedAtMs ?? nowMs + columnMs);
  const granted = Math.min(end, columnOf(turn.grantedAtMs ?? Number.POSITIVE_INFINITY));
  put(columnOf(turn.askedAtMs), granted, '·', colors.yellow);
  put(granted, end, '█', colors.green);
  // The number goes into the block as soon as the block is wide enough to remain one.
  const number = String(turn.request);
  if (end - granted > number.length) {
    put(granted + 1, granted + 1 + number.length, number, (text) => colors.bgGreen(colors.black(text)));
  }
  if (turn.leftover) {
    const over = columnOf(turn.leftover.untilMs);
    put(columnOf(turn.leftover.fromMs), over, '┄', colors.red);
    if (over < columnOf(nowMs) - 1) {
      const text = ' lease over';
      put(over, over + text.length, text, colors.red);
    }
  }
  if (turn.end === 'killed' || turn.end === 'failed') {
    put(end, end + 1, '✖', colors.red);
  }
  return [granted, end];
}

function legend({ yellow, green, red, dim }: View['colors']): Cell[] {
  return [
    ...cellsOf('·', yellow),
    ...cellsOf(' waits  ', dim),
    ...cellsOf('█', green),
    ...cellsOf(' holds  ', dim),
    ...cellsOf('✖', red),
    ...cellsOf(' killed  ', dim),
    ...cellsOf('┄', red),
    ...cellsOf(' its lease', dim),
  ];
}

/** A mark and a number at every full second. */
function axis(columns: number, paint: Paint): Cell[] {
  const perSecond = 1000 / columnMs;
  let text = '';
  for (let second = 0; text.length < columns; second++) {
    text += `└${second} s`.padEnd(perSecond);
  }
  return cellsOf(text.slice(0, columns), paint);
}

function cellsOf(text: string, paint: Paint): Cell[] {
  return Array.from(text, (glyph): Cell => [glyph, paint]);
}

/** As many cells as fit; neighbours of one colour are painted together. */
function line(cells: readonly Cell[], width: number): string {
  let text = '';
  let run = '';
  let paint: Paint = String;
  for (const [glyph, next] of cells.slice(0, width)) {
    if (next !== paint) {
      text += run && paint(run);
      run = '';
      paint = next;
    }
    run += glyph;
  }
  return `${text}${run && paint(run)}`;
}
