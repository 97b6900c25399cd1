import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { x } from 'tinyexec';
import { describeMachine } from './machine.ts';
import { readable } from './numbers.ts';
import { plotsOf } from './plots/all.ts';
import { draw } from './plots/draw.ts';
import { absencesOf, type Report } from './report.ts';
import type { Row } from './rows.ts';
import { tableOf } from './table.ts';

const root = resolve(import.meta.dirname, '../..');

/** Puts a full run's results into the documents, between their marks, and draws the plots. */
export async function writeDocs(report: Report, rows: readonly Row[]): Promise<void> {
  await mkdir(join(root, 'docs/bench'), { recursive: true });
  const plots = plotsOf(rows);
  for (const [name, plot] of Object.entries(plots)) {
    await writeFile(join(root, 'docs/bench', `${name}.svg`), draw(plot));
  }
  const results = [
    `\`npm run bench -- --docs\` on ${describeMachine(report.machine)}.`,
    tableOf(rows),
    absencesOf(report).join('\n'),
    ...Object.entries(plots).map(([name, { title }]) => `![${title}](bench/${name}.svg)`),
  ];
  await replaceBetweenMarks('docs/performance.md', results.join('\n\n'));
  await replaceBetweenMarks('README.md', mainFigures(rows));
  await x('biome', ['format', '--write', 'docs/performance.md', 'README.md'], {
    nodeOptions: { cwd: root },
    throwOnError: true,
  });
}

/** What a newcomer wants to know, from the same rows. */
function mainFigures(rows: readonly Row[]): string {
  const figure = (scenario: string, key: string, contender: string) => {
    const row = rows.find(
      (each) => each.scenario === scenario && each.key === key && each.contender === contender,
    );
    return row === undefined
      ? '–'
      : `${readable(row.median)}${row.unit.startsWith('/') ? '' : ' '}${row.unit}`.trim();
  };
  const lines = (
    [
      ['one task, acquire + release', 'seq', 'pairs'],
      ['500 tasks in a process, nobody waits', 'wide', 'pairs'],
      ['64 tasks on limit 8', 'contend0', 'pairs'],
      ['64 tasks on limit 8, 5 ms hold: wait p50', 'contend', 'p50'],
      ['… wait p99', 'contend', 'p99'],
      ['… pairs told in another order than asked, per 1000', 'contend', 'inversions'],
      ['5,000 in line on limit 10, drained', 'deep', 'rate-5000'],
      ['release in one process to acquire in another, p50', 'hand-off', 'p50'],
    ] as const
  ).map(
    ([title, scenario, key]) =>
      `| ${title} | ${figure(scenario, key, 'parkade')} | ${figure(scenario, key, 'redis-semaphore')} |`,
  );
  return ['| | parkade | redis-semaphore |', '| - | -: | -: |', ...lines].join('\n');
}

async function replaceBetweenMarks(file: string, text: string): Promise<void> {
  const path = join(root, file);
  const old = await readFile(path, 'utf8');
  const between = /(<!-- bench:begin -->\n)[\s\S]*?(<!-- bench:end -->)/;
  if (!between.test(old))
    throw new Error(`${file} has no marks <!-- bench:begin --> and <!-- bench:end -->.`);
  await writeFile(
    path,
    old.replace(between, (_, begin, end) => `${begin}\n${text}\n\n${end}`),
  );
}
