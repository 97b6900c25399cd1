import { readable } from './numbers.ts';
import type { Row } from './rows.ts';

const titles = ['scenario', 'figure', 'contender', 'median', 'spread', 'ratio', 'reach', 'met'];
const rightAligned = new Set(['median', 'spread', 'ratio']);

/** As text that reads well on a terminal and is a table in Markdown too. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row, i) => {
    const last = rows[i - 1];
    const isSame = last?.scenario === row.scenario;
    return [
      isSame ? '' : row.scenario,
      isSame && last?.key === row.key ? '' : row.figure,
      row.contender,
      withUnit(readable(row.median), row.unit),
      row.least === row.most ? '' : `${readable(row.least)} … ${readable(row.most)}`,
      row.ratio ? `${readable(row.ratio.value)} × ${row.ratio.to}` : '',
      row.reach?.text ?? '',
      row.reach ? (row.reach.met ? 'yes' : 'NO') : '',
    ];
  });
  const widths = titles.map((title, i) =>
    Math.max(title.length, ...cells.map((line) => (line[i] as string).length)),
  );
  const pad = (text: string, i: number) =>
    rightAligned.has(titles[i] as string)
      ? text.padStart(widths[i] as number)
      : text.padEnd(widths[i] as number);
  const line = (texts: readonly string[]) => `| ${texts.map(pad).join(' | ')} |`;
  const rule = titles.map((title, i) => {
    const dashes = '-'.repeat((widths[i] as number) - 1);
    return rightAligned.has(title) ? `${dashes}:` : `${dashes}-`;
  });
  return [line(titles), line(rule), ...cells.map(line)].join('\n');
}

function withUnit(text: string, unit: string): string {
  return unit === '' ? text : `${text}${unit.startsWith('/') ? '' : ' '}${unit}`;
}
