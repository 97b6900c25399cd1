import type { EChartsOption } from 'echarts';
import type { ContenderName } from '../../contenders/names.ts';
import { colours, faint, ink, rule } from './paper.ts';

/** A curve for each contender over a quantity, in panels side by side; each is named at its end. */
export interface CurvePanel {
  readonly title: string;
  readonly x: {
    readonly name: string;
    readonly type: 'log' | 'category';
    readonly ticks?: readonly string[];
  };
  readonly y: { readonly name: string; readonly type: 'log' | 'value' };
  readonly curves: readonly {
    readonly contender: ContenderName;
    readonly points: readonly (readonly [x: number | string, y: number])[];
  }[];
}

export const curvesHeight = 400;

export function curves(panels: readonly CurvePanel[]): EChartsOption {
  const share = 100 / panels.length;
  return {
    title: panels.map(({ title }, i) => ({
      text: title,
      left: `${i * share + 2}%`,
      top: 68,
      textStyle: { fontSize: 13, fontWeight: 600, color: ink },
    })),
    grid: panels.map((_, i) => ({
      left: `${i * share + 8}%`,
      width: `${share - 24}%`,
      top: 116,
      bottom: 56,
    })),
    xAxis: panels.map(({ x }, i) => ({
      gridIndex: i,
      type: x.type,
      ...(x.ticks && { data: x.ticks }),
      name: x.name,
      nameLocation: 'middle',
      nameGap: 28,
      nameTextStyle: { color: faint, fontSize: 12 },
      axisLabel: {
        color: faint,
        fontSize: 11,
        formatter: (value: number | string) => value.toLocaleString('en'),
      },
      axisLine: { lineStyle: { color: rule } },
      splitLine: { show: false },
    })) as never,
    yAxis: panels.map(({ y }, i) => ({
      gridIndex: i,
      type: y.type,
      name: y.name,
      nameLocation: 'end',
      nameTextStyle: { color: faint, fontSize: 12, align: 'left', padding: [0, 0, 0, -40] },
      ...(y.type === 'value' && { min: 0 }),
      axisLabel: { color: faint, fontSize: 11, formatter: (value: number) => value.toLocaleString('en') },
      splitLine: { lineStyle: { color: rule } },
    })) as never,
    series: panels.flatMap((panel, i) =>
      panel.curves.map(({ contender, points }) => ({
        type: 'line' as const,
        name: contender,
        xAxisIndex: i,
        yAxisIndex: i,
        data: points.map(([x, y]) => [x, y]),
        symbol: 'circle',
        symbolSize: 6,
        lineStyle: { color: colours[contender], width: contender === 'parkade' ? 3 : 2 },
        itemStyle: { color: colours[contender] },
        endLabel: {
          show: true,
          formatter: contender,
          color: colours[contender],
          fontSize: 12,
          fontWeight: contender === 'parkade' ? (700 as const) : (400 as const),
        },
        labelLayout: { moveOverlap: 'shiftY' as const },
        clip: false,
      })),
    ),
  };
}
