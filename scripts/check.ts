import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import { x } from 'tinyexec';
import packageJson from '../package.json' with { type: 'json' };

const folder = mkdtempSync(join(tmpdir(), 'parkade-check-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const tarball = join(folder, `parkade-${packageJson.version}.tgz`);

// Everything that must hold before a change lands. `--static` leaves out the tests, for those who ran them already.
const steps: readonly (readonly [title: string, command: string, ...args: string[]])[] = [
  ['lua is embedded', 'tsx', 'scripts/embed-lua.ts'],
  ['the page is embedded', 'tsx', 'scripts/embed-page.ts'],
  ['format and lint', 'biome', 'check', '--error-on-warnings', '.'],
  ['import floors', 'depcruise', '--config', '.dependency-cruiser.cjs', 'src'],
  ['types', 'tsc', '-p', '.'],
  ['types of the page', 'tsc', '-p', 'src/cli/dashboard/page'],
  ['luacheck', 'tsx', 'scripts/luacheck.ts'],
  ['unused code', 'knip'],
  ['dependencies', 'tsx', 'scripts/audit.ts'],
  ['API reference is current', 'tsx', 'scripts/api-reference.ts', '--check'],
  ['links in Markdown', 'tsx', 'scripts/links.ts'],
  ['package: built and packed', 'npm', 'pack', '--pack-destination', folder],
  ['package: publint', 'publint', tarball, '--strict'],
  ['package: types resolve', 'attw', tarball],
  ['package: size', 'tsx', 'scripts/size.ts'],
  ...(process.argv.includes('--static') ? [] : [['tests', 'vitest', 'run'] as const]),
];

/** Their last line says something also when all is well: that they were skipped, for one. */
const talkative = ['luacheck', 'dependencies', 'links in Markdown', 'package: size'];

let failed = 0;
for (const [title, command, ...args] of steps) {
  const start = performance.now();
  const result = await x(command, args, { throwOnError: false });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (result.exitCode === 0) {
    const [firstLine] = talkative.includes(title) ? result.stdout.trim().split('\n').slice(-1) : [];
    console.log(`${pc.green('✔')} ${title} ${pc.dim(`${seconds} s${firstLine ? `, ${firstLine}` : ''}`)}`);
  } else {
    failed++;
    console.log(`${pc.red('✖')} ${title} ${pc.dim(`${seconds} s`)}\n${result.stdout}${result.stderr}`);
  }
}
if (failed > 0) {
  console.log(pc.red(`${failed} of ${steps.length} checks failed.`));
  process.exitCode = 1;
}
