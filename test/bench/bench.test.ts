import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { helpOf, parseOptions, UsageError } from '../../bench/options.ts';
import type { Report } from '../../bench/report/report.ts';
import type { Row } from '../../bench/report/rows.ts';
import { scenarios } from '../../bench/scenarios/all.ts';
import { nodeArgs } from '../../support/redis/watched.ts';

describe('npm run bench', () => {
  test('measures every scenario with every contender, and says so in a table and as JSON', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'parkade-bench-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const file = join(folder, 'report.json');

    const { code, output, errors } = await run('--quick', '--json', file);
    expect(errors).not.toContain('broke down');
    expect(code, errors).toBe(0);

    const report = JSON.parse(await readFile(file, 'utf8')) as Report & { rows: Row[] };
    expect(report.quick).toBe(true);
    for (const { name, contenders, figures, reaches } of scenarios) {
      const rows = report.rows.filter(({ scenario }) => scenario === name);
      expect(new Set(rows.map(({ contender }) => contender))).toEqual(new Set(contenders));
      expect(new Set(rows.map(({ key }) => key))).toEqual(new Set(figures.map(({ key }) => key)));
      expect(rows.filter(({ reach }) => reach !== undefined)).toHaveLength(reaches.length);
      expect(output).toMatch(new RegExp(`^\\| ${name} +\\|`, 'm'));
    }
    for (const row of report.rows) {
      expect(row.median, `${row.scenario}, ${row.figure}, ${row.contender}`).toSatisfy(Number.isFinite);
      expect(row.median).toBeGreaterThanOrEqual(row.least);
      expect(row.median).toBeLessThanOrEqual(row.most);
    }
    expect(output).toContain('the figures mean nothing');
  }, 240_000);

  test('refuses what it does not know, in a line, and points to its help', async () => {
    const { code, output, errors } = await run('--only', 'seq,deeper');
    expect(code).toBe(2);
    expect(output).toBe('');
    expect(errors).toMatch(/^--only: there is no 'deeper', but seq, .*pods\. See --help\.\n$/);
  });
});

describe('the options of the bench', () => {
  test('are all told by the help, and so are the scenarios', () => {
    const help = helpOf(scenarios);
    for (const option of [
      '--only',
      '--rounds',
      '--quick',
      '--json',
      '--from',
      '--profile',
      '--docs',
      '--help',
    ]) {
      expect(help).toContain(option);
    }
    for (const { name, what } of scenarios) expect(help).toContain(`  ${name.padEnd(10)}${what}\n`);
  });

  test('choose scenarios in their own order', () => {
    const chosen = parseOptions(['--only', 'deep', '--only', 'wide,seq'], scenarios).scenarios;
    expect(chosen.map(({ name }) => name)).toEqual(['seq', 'wide', 'deep']);
  });

  test.each([
    [['--rounds', '0'], /--rounds is '0', allowed is 1 to 100/],
    [['--rounds', 'many'], /--rounds is 'many'/],
    [['--docs', '--quick'], /--docs wants a full run/],
    [['--slow'], /--slow/],
  ])('%j are refused', (args, message) => {
    expect(() => parseOptions(args, scenarios)).toThrow(UsageError);
    expect(() => parseOptions(args, scenarios)).toThrow(message);
  });
});

async function run(...args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const main = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));
  const child = spawn(process.execPath, [...nodeArgs, main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, output, errors };
}
