import type { EChartsOption, SeriesOption } from 'echarts';
import type { ContenderName } from '../../contenders/names.ts';
import { colours, faint, ink, rule } from './paper.ts';

/** A line for each contender with its values as dots, in panels side by side. */
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
  readonly values: readonly number[];
  /** Stands right of the last value. */
  readonly note: string;
  /** Where a bar begins; without it dots are joined. */
  readonly from?: number;
}

const lineHeight = 30;
const top = 104;

export function heightOf(panels: readonly Panel[]): number {
  return top + Math.max(...panels.map(({ lines }) => lines.length)) * lineHeight + 56;
}

/** As a part of echarts' options. `noteWidth`, px, is left free on the right of each panel. */
export function dots(panels: readonly Panel[], width: number, noteWidth: number): EChartsOption {
  const share = width / panels.length;
  const namesWidth = 124;
  return {
    title: panels.map(({ title }, i) => ({
      text: title,
      left: i * share + 12,
      top: 68,
      textStyle: { fontSize: 13, fontWeight: 600, color: ink },
    })),
    grid: panels.map(({ lines }, i) => ({
      left: i * share + namesWidth,
      width: share - namesWidth - noteWidth,
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
      axisLabel: { color: faint, fontSize: 11, formatter: shortly, hideOverlap: true },
      splitLine: { lineStyle: { color: rule } },
      axisLine: { show: false },
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

function seriesOf({ contender, values, note, from }: Line, panel: number, row: number): SeriesOption[] {
  const color = colours[contender];
  const isBar = from !== undefined;
  const least = from ?? Math.min(...values);
  const most = Math.max(...values);
  const at = { xAxisIndex: panel, yAxisIndex: panel, clip: false };
  return [
    {
      ...at,
      type: 'line',
      data: [
        [least, row],
        [most, row],
      ],
      symbol: 'none',
      lineStyle: { color, width: isBar ? 10 : 2, cap: 'butt' },
    },
    {
      ...at,
      type: 'scatter',
      data: values.map((value) => ({
        value: [value, row],
        label: { show: value === most, formatter: note },
      })),
      symbolSize: isBar ? 1 : 9,
      itemStyle: { color },
      label: { position: 'right', fontSize: 12, color: ink, distance: 6 },
    },
  ];
}

/** 0.1, 10, 1k, 1M. */
function shortly(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : `${value}`;
}
