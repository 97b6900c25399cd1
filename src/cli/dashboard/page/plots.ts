import uPlot from 'uplot';
import type { History } from '../messages.ts';
import { make } from './dom.ts';
import { showCount } from './format.ts';

/** A colour as the page's style has it now, light or dark. */
const colour = (name: string) => () =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Everything that is drawn, to be drawn anew when the colours change. */
const plots = new Set<uPlot>();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const plot of plots) plot.redraw(false, true);
});

/** A row's bars: the largest of each bucket. */
export class Sparkline {
  readonly element = make('div', { class: 'spark', 'aria-hidden': 'true' });
  readonly #plot: uPlot;
  #drawn = '';

  /** @param floor what the full height stands for at least */
  constructor(of: 'use' | 'line', floor: number) {
    const fill = colour(of);
    this.#plot = new uPlot(
      {
        width: 140,
        height: 26,
        pxAlign: true,
        cursor: { show: false },
        legend: { show: false },
        select: { show: false, left: 0, top: 0, width: 0, height: 0 },
        axes: [{ show: false }, { show: false }],
        padding: [1, 0, 0, 0],
        scales: {
          x: { time: false, range: (_plot, min, max) => [min - 0.5, max + 0.5] },
          y: { range: (_plot, _min, max) => [0, Math.max(floor, max)] },
        },
        series: [
          {},
          {
            fill,
            width: 0,
            points: { show: false },
            paths: uPlot.paths.bars?.({ size: [1, Number.POSITIVE_INFINITY] }) as uPlot.Series.PathBuilder,
          },
        ],
      },
      undefined,
      this.element,
    );
    plots.add(this.#plot);
  }

  /** @param title what the largest was, in words */
  show(values: readonly (number | null)[], title: (most: number) => string): void {
    const drawn = values.join();
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.element.title = `at most ${title(Math.max(0, ...values.map((value) => value ?? 0)))}`;
      this.#plot.setData([values.map((_value, i) => i), [...values]]);
    }
  }
}

type Points = [atS: number[], ...values: (number | null)[][]];

/** Units held against the limit, and the line, over the same time. */
export class TimePlots {
  readonly held: TimePlot;
  readonly waiting: TimePlot;
  #data = {
    atS: [] as number[],
    held: [] as (number | null)[],
    limit: [] as (number | null)[],
    waiting: [] as (number | null)[],
  };
  #windowS = 15 * 60;
  #historyS = 15 * 60;

  constructor() {
    const sync = 'detail';
    const windowS = () => this.#windowS;
    this.held = new TimePlot('Units held', sync, windowS, [
      { label: 'held', colour: 'use', fill: 'use-soft' },
      { label: 'limit', colour: 'limit', dash: [6, 4] },
    ]);
    this.waiting = new TimePlot('Waiting', sync, windowS, [
      { label: 'waiting', colour: 'line', fill: 'line-soft' },
    ]);
  }

  start({ atMs, held, limit, waiting }: History): void {
    this.#data = {
      atS: atMs.map((ms) => ms / 1000),
      held: [...held],
      limit: [...limit],
      waiting: [...waiting],
    };
  }

  add(
    atMs: number,
    seen: { readonly held: number; readonly limit: number; readonly waiting: number } | null,
  ): void {
    const { atS, held, limit, waiting } = this.#data;
    if (atMs / 1000 <= (atS.at(-1) ?? 0)) {
      return;
    }
    atS.push(atMs / 1000);
    held.push(seen?.held ?? null);
    limit.push(seen?.limit ?? null);
    waiting.push(seen?.waiting ?? null);
    const old = atS.findIndex((s) => s >= atMs / 1000 - this.#historyS);
    if (old > 60) {
      for (const values of [atS, held, limit, waiting]) values.splice(0, old);
    }
  }

  setHistory(ms: number): void {
    this.#historyS = ms / 1000;
  }

  setWindow(ms: number): void {
    this.#windowS = ms / 1000;
    this.draw();
  }

  draw(): void {
    const { atS, held, limit, waiting } = this.#data;
    this.held.show([atS, held, limit]);
    this.waiting.show([atS, waiting]);
  }
}

interface Line {
  readonly label: string;
  readonly colour: string;
  readonly fill?: string;
  readonly dash?: number[];
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const shortClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

export class TimePlot {
  readonly element: HTMLElement;
  readonly #title: string;
  readonly #plot: uPlot;

  constructor(title: string, sync: string, windowS: () => number, lines: readonly Line[]) {
    this.#title = title;
    this.element = make('figure', { class: 'plot', role: 'img', 'aria-label': title });
    const stepped = uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder;
    this.#plot = new uPlot(
      {
        width: 300,
        height: 150,
        padding: [8, 22, 0, 0],
        cursor: { sync: { key: sync }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
        legend: { live: true },
        scales: {
          x: {
            range: (_plot, _min, max) => [(max ?? Date.now() / 1000) - windowS(), max ?? Date.now() / 1000],
          },
          y: { range: (_plot, _min, max) => [0, Math.max(1, (max ?? 1) * 1.1)] },
        },
        axes: [
          {
            ...axis(),
            size: 28,
            space: 74,
            values: (_plot, moments, _axis, _space, incrS) =>
              moments.map((s) => (incrS < 60 ? clock : shortClock).format(s * 1000)),
          },
          {
            ...axis(),
            size: 44,
            space: 26,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6, 1e7],
          },
        ],
        series: [
          { label: 'time', value: (_plot, s) => (Number.isFinite(s) ? clock.format(s * 1000) : '–') },
          ...lines.map(
            ({ label, colour: stroke, fill, dash }): uPlot.Series => ({
              label,
              stroke: colour(stroke),
              width: 1.5,
              paths: stepped,
              points: { show: false },
              value: (_plot, value) => (value == null ? '–' : showCount(value)),
              ...(fill && { fill: colour(fill) }),
              ...(dash && { dash }),
            }),
          ),
        ],
      },
      undefined,
      this.element,
    );
    plots.add(this.#plot);
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0) this.#plot.setSize({ width, height: 150 });
    }).observe(this.element);
  }

  show(points: Points): void {
    this.#plot.setData(points);
    if (this.#plot.cursor.idx == null && points[0].length > 0) {
      this.#plot.setLegend({ idx: points[0].length - 1 }); // the last, while nobody points at another
    }
    const values = (points[1] ?? []).filter((value) => value !== null);
    this.element.setAttribute(
      'aria-label',
      `${this.#title} over time: now ${showCount(values.at(-1) ?? 0)}, at most ${showCount(Math.max(0, ...values))}`,
    );
  }
}

function axis(): uPlot.Axis {
  return {
    stroke: colour('dim'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('hair'), width: 1 },
    ticks: { show: false },
  };
}
