import { type EChartsOption, init } from 'echarts';
import { asPicture, faint, ink, paper } from './paper.ts';

export interface Plot {
  readonly title: string;
  readonly subtitle: string;
  readonly height: number;
  readonly option: EChartsOption;
}

/** Of every plot, px. */
export const width = 900;

/** As SVG, without a browser. */
export function draw({ title, subtitle, height, option }: Plot): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: paper,
      textStyle: { fontFamily: 'system-ui, sans-serif', color: ink },
      ...option,
      title: [
        {
          text: title,
          subtext: subtitle,
          left: 16,
          top: 12,
          itemGap: 6,
          textStyle: { fontSize: 16, fontWeight: 600, color: ink },
          subtextStyle: { fontSize: 12, color: faint },
        },
        ...[option.title ?? []].flat(),
      ],
    });
    return `${asPicture(chart.renderToSVGString(), title)}\n`;
  } finally {
    chart.dispose();
  }
}
