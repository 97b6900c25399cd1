import type { ContenderName } from '../../contenders/names.ts';
import { readable } from '../numbers.ts';
import type { Row } from '../rows.ts';
import { curves, curvesHeight } from './curves.ts';
import { dots, heightOf, type Line, type Panel } from './dots.ts';
import { type Plot, width } from './draw.ts';

/** The plots of docs/performance.md, by the names of their files. */
export function plotsOf(rows: readonly Row[]): Record<string, Plot> {
  return {
    throughput: throughput(rows),
    waits: waits(rows),
    'hand-off': handOff(rows),
    fairness: fairness(rows),
    depth: depth(rows),
    pods: pods(rows),
  };
}

function throughput(rows: readonly Row[]): Plot {
  const panels = [
    ['seq', '1 task'],
    ['wide', '500 tasks, nobody waits'],
    ['contend0', '64 tasks, limit 8'],
  ].map(
    ([scenario, title]): Panel => ({
      title: `${scenario}: ${title}`,
      axis: { name: 'pairs a second', type: 'log' },
      lines: linesOf(rows, scenario as string, 'pairs'),
    }),
  );
  return {
    title: 'Throughput',
    subtitle: 'acquire + release without a hold, one process; a logarithmic axis, further right is better',
    height: heightOf(panels),
    option: dots(panels, width, 64),
  };
}

function waits(rows: readonly Row[]): Plot {
  return spans(rows, 'contend', ['p50', 'p90', 'p99', 'max'], {
    title: 'How long one waits',
    subtitle: 'limit 8, 64 tasks in 2 processes (async-sema: in one), 5 ms hold: ideally 35 ms for everybody',
    axis: 'waiting time, ms',
  });
}

function handOff(rows: readonly Row[]): Plot {
  return spans(rows, 'hand-off', ['p50', 'p90', 'p99'], {
    title: 'Hand-off latency',
    subtitle: 'release in one process to acquire in another that waits; further left is better',
    axis: 'latency, ms',
  });
}

/** How a time is spread, from its median to its worst. */
function spans(
  rows: readonly Row[],
  scenario: string,
  keys: readonly string[],
  { title, subtitle, axis }: { title: string; subtitle: string; axis: string },
): Plot {
  const panel: Panel = {
    title: `${keys.join(' · ')}, ms`,
    axis: { name: axis, type: 'log' },
    lines: contendersIn(rows, scenario, 'p50').map((contender) => {
      const values = keys.map((key) => medianOf(rows, scenario, key, contender));
      // The axis is logarithmic, and nobody waits for less.
      return {
        contender,
        values: values.map((value) => Math.max(0.01, value)),
        note: values.map(readable).join(' · '),
      };
    }),
  };
  return { title, subtitle, height: heightOf([panel]), option: dots([panel], width, 210) };
}

function fairness(rows: readonly Row[]): Plot {
  const panels: Panel[] = [
    {
      title: 'Inversions of the order of asking, per 1000 grants',
      axis: { name: 'fewer is better', type: 'value', min: 0 },
      lines: linesOf(rows, 'contend', 'inversions').map((line) => ({ ...line, from: 0 })),
    },
    {
      title: "Jain's index over the tasks",
      axis: { name: '1 is an equal share for each', type: 'value', min: 0, max: 1 },
      lines: linesOf(rows, 'contend', 'jain').map((line) => ({ ...line, from: 0 })),
    },
  ];
  return {
    title: 'Fairness',
    subtitle: 'limit 8, 64 tasks in 2 processes (async-sema: in one), 5 ms hold',
    height: heightOf(panels),
    option: dots(panels, width, 64),
  };
}

function depth(rows: readonly Row[]): Plot {
  const panels = [
    ['cost', 'Time a grant'],
    ['serverUs', 'Server CPU a grant'],
  ].map(([figure, title]) => ({
    title: title as string,
    x: { name: 'waiters in line at the start', type: 'log' as const },
    y: { name: 'µs', type: 'log' as const },
    curves: contendersIn(rows, 'deep', `${figure}-1000`).map((contender) => ({
      contender,
      points: pointsOf(rows, 'deep', `${figure}-`, contender),
    })),
  }));
  return {
    title: 'What a grant costs, by the length of the line',
    subtitle: 'a line of waiters on limit 10 drains, in one process',
    height: curvesHeight,
    option: curves(panels),
  };
}

function pods(rows: readonly Row[]): Plot {
  const panels = [
    ['free', 'Nobody waits: limit 100, no hold'],
    ['contended', 'Contended: limit 2, 10 ms hold'],
  ].map(([situation, title]) => ({
    title: title as string,
    x: { name: 'processes, one task each', type: 'category' as const, ticks: ['1', '2', '4', '8', '16'] },
    y: { name: 'µs of server CPU a grant', type: 'value' as const },
    curves: contendersIn(rows, 'pods', `${situation}-1`).map((contender) => ({
      contender,
      points: pointsOf(rows, 'pods', `${situation}-`, contender).map(([x, y]) => [`${x}`, y] as const),
    })),
  }));
  return {
    title: 'What the server pays, by the number of processes',
    subtitle: 'CPU time of the server for each acquire and release',
    height: curvesHeight,
    option: curves(panels),
  };
}

function linesOf(rows: readonly Row[], scenario: string, key: string): Line[] {
  return contendersIn(rows, scenario, key).map((contender) => {
    const value = medianOf(rows, scenario, key, contender);
    return { contender, values: [value], note: readable(value) };
  });
}

function contendersIn(rows: readonly Row[], scenario: string, key: string): ContenderName[] {
  return rows.filter((row) => row.scenario === scenario && row.key === key).map(({ contender }) => contender);
}

function medianOf(rows: readonly Row[], scenario: string, key: string, contender: ContenderName): number {
  const row = rows.find(
    (each) => each.scenario === scenario && each.key === key && each.contender === contender,
  );
  return row?.median ?? Number.NaN;
}

/** Of all figures whose key is the prefix and a number: that number, and the median. */
function pointsOf(
  rows: readonly Row[],
  scenario: string,
  prefix: string,
  contender: ContenderName,
): (readonly [number, number])[] {
  return rows
    .filter((row) => row.scenario === scenario && row.contender === contender && row.key.startsWith(prefix))
    .map((row) => [Number(row.key.slice(prefix.length)), row.median] as const);
}
