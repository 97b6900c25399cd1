/** Draws docs/demo.svg: plays the demo in a terminal (tmux), captures it in the middle and at the end. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters as plain } from 'node:util';
import { x } from 'tinyexec';

const columns = 88;
const cell = { width: 8.4, height: 19 };
const ink = { normal: '#d8dee9', dim: '#7b8494', back: '#1f2430' };
const palette: Record<string, string> = { 31: '#f2777a', 32: '#7fc98f', 33: '#e5c07b', 36: '#5fb3d9' };

const session = `demo-${process.pid}`;
const tmux = async (...args: string[]) =>
  (await x('tmux', ['-L', session, ...args], { throwOnError: true })).stdout;
const capture = async () => (await tmux('capture-pane', '-ep', '-t', session)).split('\n');

/** The lines on the screen, with colours, as soon as one of them looks like this. */
async function screenWith(pattern: RegExp): Promise<string[]> {
  for (;;) {
    const lines = await capture();
    if (lines.some((line) => pattern.test(plain(line)))) {
      return lines;
    }
    await sleep(50);
  }
}

function between(lines: string[], first: RegExp, last: RegExp): string[] {
  return lines.slice(
    lines.findIndex((line) => first.test(plain(line))),
    lines.findIndex((line) => last.test(plain(line))) + 1,
  );
}

const plainStyle = { color: ink.normal, back: '', bold: false, dim: false };

/** What tmux last said; it goes on from line to line. */
let style = { ...plainStyle };

/** One line of a terminal: its text in runs of one colour, each held to the columns that it has. */
function draw(line: string, row: number): string {
  const y = (row + 1.5) * cell.height;
  let column = 1;
  let drawn = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal's colours are made of
  for (const [, codes, text = ''] of line.matchAll(/(?:\x1b\[([\d;]*)m)?([^\x1b]*)/g)) {
    for (const code of codes?.split(';') ?? []) {
      if (code === '' || code === '0') style = { ...plainStyle };
      else if (code === '1') style.bold = true;
      else if (code === '2') style.dim = true;
      else if (code === '39') style.color = ink.normal;
      else if (code === '30') style.color = ink.back;
      else if (code === '42') style.back = palette[32] ?? '';
      else if (code === '49') style.back = '';
      else if (palette[code]) style.color = palette[code];
    }
    for (const [part] of text.matchAll(/█+| +|[^█ ]+(?: [^█ ]+)*/g)) {
      const x = (column * cell.width).toFixed(1);
      const width = (part.length * cell.width).toFixed(1);
      const box = (fill: string) =>
        `<rect x="${x}" y="${(y - cell.height * 0.74).toFixed(1)}" width="${width}" height="${cell.height - 2}" fill="${fill}" shape-rendering="crispEdges"/>`;
      if (part.startsWith('█')) {
        drawn += box(style.color);
      } else if (part.trim()) {
        const escaped = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
        drawn += style.back && box(style.back);
        drawn += `<text x="${x}" y="${y.toFixed(1)}" textLength="${width}" fill="${style.dim ? ink.dim : style.color}"${style.bold ? ' font-weight="bold"' : ''}>${escaped}</text>`;
      }
      column += part.length;
    }
  }
  return drawn;
}

await tmux(
  'new-session',
  '-d',
  '-s',
  session,
  '-x',
  String(columns),
  '-y',
  '40',
  'npm run --silent demo; sleep 60',
);
try {
  const middle = between(await screenWith(/answered.* 2[5-9] of/), / waits /, /answered/);
  const end = between(await screenWith(/ left .*gone/), / peak /, / left /);
  const lines = ['\u001b[2m$\u001b[0m npm run demo', '', ...middle, '', ...end];
  const size = `${(columns + 2) * cell.width} ${(lines.length + 1.5) * cell.height}`;
  writeFileSync(
    new URL('../docs/demo.svg', import.meta.url),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<title>npm run demo: four worker processes, a lane each, share an API that may be asked three things at once</title>
<rect width="100%" height="100%" rx="8" fill="${ink.back}"/>
${lines.map(draw).filter(Boolean).join('\n')}
</svg>
`,
  );
} finally {
  await tmux('kill-server');
}
