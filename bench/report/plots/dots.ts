import type { EChartsOption, SeriesOption } from 'echarts';
import type { ContenderName } from '../../contenders/names.ts';
import { colours, faint, ink, rule } from './paper.ts';

/** A line for each contender with marks on it, in panels side by side. */
export interface Panel {
  readonly title: string;
  readonly axis: {
    readonly name: string;
    readonly type: 'log' | 'value';
    readonly min?: number;
    readonly max?: number;
  };
  readonly lines: readonly Line[];
}

export interface Line {
  readonly contender: ContenderName;
  readonly marks: readonly { readonly value: number; readonly label: string }[];
  /** Drawn through the marks, or from zero. */
  readonly from?: number;
}

const lineHeight = 30;
const top = 104;

export function heightOf(panels: readonly Panel[]): number {
  return top + Math.max(...panels.map(({ lines }) => lines.length)) * lineHeight + 56;
}

/** As a part of echarts' options. */
export function dots(panels: readonly Panel[]): EChartsOption {
  const share = 100 / panels.length;
  return {
    title: panels.map(({ title }, i) => ({
      text: title,
      left: `${i * share + 2}%`,
      top: 68,
      textStyle: { fontSize: 13, fontWeight: 600, color: ink },
    })),
    grid: panels.map(({ lines }, i) => ({
      left: `${i * share + (panels.length === 1 ? 14 : 14)}%`,
      width: `${share - 22}%`,
      top,
      height: lines.length * lineHeight,
    })),
    xAxis: panels.map(({ axis }, i) => ({
      gridIndex: i,
      type: axis.type,
      name: axis.name,
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: { color: faint, fontSize: 12 },
      ...(axis.min !== undefined && { min: axis.min }),
      ...(axis.max !== undefined && { max: axis.max }),
      axisLabel: {
        color: faint,
        fontSize: 11,
        formatter: (value: number) => value.toLocaleString('en'),
        hideOverlap: true,
      },
      splitLine: { lineStyle: { color: rule } },
      axisLine: { show: false },
      minorSplitLine: { show: false },
      splitNumber: 4,
    })) as never,
    yAxis: panels.map(({ lines }, i) => ({
      gridIndex: i,
      type: 'category',
      inverse: true,
      data: lines.map(({ contender }) => contender),
      axisLabel: {
        fontSize: 12,
        color: ink,
        rich: { own: { fontWeight: 700, color: colours.parkade, fontSize: 12 } },
        formatter: (name: string) => (name === 'parkade' ? `{own|${name}}` : name),
      },
      axisLine: { show: false },
      axisTick: { show: false },
    })) as never,
    series: panels.flatMap(({ lines }, panel) => lines.flatMap((line, row) => seriesOf(line, panel, row))),
  };
}

function seriesOf({ contender, marks, from }: Line, panel: number, row: number): SeriesOption[] {
  const color = colours[contender];
  const values = marks.map(({ value }) => value);
  const ends = [from ?? Math.min(...values), Math.max(...values)];
  return [
    {
      type: 'line',
      xAxisIndex: panel,
      yAxisIndex: panel,
      data: ends.map((value) => [value, row]),
      symbol: 'none',
      lineStyle: { color, width: from === undefined ? 2 : 8, cap: from === undefined ? 'round' : 'butt' },
    },
    {
      type: 'scatter',
      xAxisIndex: panel,
      yAxisIndex: panel,
      data: marks.map(({ value, label }) => ({
        value: [value, row],
        label: { show: label !== '', formatter: label },
      })),
      symbolSize: from === undefined ? 9 : 1,
      itemStyle: { color },
      label: { position: marks.length === 1 ? 'right' : 'top', fontSize: 11, color: faint, distance: 5 },
      clip: false,
    },
  ];
}
