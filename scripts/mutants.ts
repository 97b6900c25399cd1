import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pc from 'picocolors';
import { x } from 'tinyexec';
import { startRedis } from '../support/redis/start-redis.ts';
import { mutants } from '../test/mutants/list.ts';
import type { Mutant } from '../test/mutants/mutant.ts';

// Breaks a copy of the project in every way of the list, one at a time, and runs the tests that must notice. A mutant
// that survives is a missing test. `npm run mutants -- --only TEXT` takes those whose name contains the text.

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({
  options: { only: { type: 'string', default: '' }, help: { type: 'boolean' } },
});
if (values.help) {
  console.log(
    'npm run mutants [-- --only TEXT]\n\nBreaks a copy of the project in known ways; the tests must notice.',
  );
  process.exit();
}

type Outcome = 'caught' | 'survived' | 'invalid';

/** Applies the mutant to a fresh copy and runs its tests there. */
async function tryMutant(mutant: Mutant, redisUrl: string): Promise<{ outcome: Outcome; detail: string }> {
  const copy = mkdtempSync(join(tmpdir(), 'parkade-mutant-'));
  try {
    cpSync(root, copy, {
      recursive: true,
      filter: (path) => !/^(node_modules|\.git|\.cache|dist|docs)(\/|$)/.test(relative(root, path)),
    });
    for (const shared of ['node_modules', '.cache']) {
      symlinkSync(join(root, shared), join(copy, shared));
    }
    const file = join(copy, mutant.file);
    const text = readFileSync(file, 'utf8');
    if (text.split(mutant.from).length !== 2) {
      return { outcome: 'invalid', detail: `its text does not stand exactly once in ${mutant.file}` };
    }
    writeFileSync(
      file,
      text.replace(mutant.from, () => mutant.to),
    );
    const options = {
      nodeOptions: { cwd: copy, env: { ...process.env, REDIS_URL: redisUrl } },
      throwOnError: false,
    };
    await x('tsx', ['scripts/embed-lua.ts'], options);
    const report = join(copy, 'report.json');
    const args = [
      'run',
      ...mutant.caughtBy,
      '--reporter=json',
      `--outputFile=${report}`,
      '--testTimeout=15000',
    ];
    await x('vitest', args, options);
    const failed = failures(report);
    return failed.length > 0
      ? { outcome: 'caught', detail: failed[0] as string }
      : { outcome: 'survived', detail: '' };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The titles of the tests that failed. A file that could not even be loaded proves nothing and counts as none. */
function failures(report: string): string[] {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { assertionResults: { status: string; title: string }[] }[];
  };
  return testResults.flatMap((file) =>
    file.assertionResults.filter((test) => test.status === 'failed').map((test) => test.title),
  );
}

await using redis = await startRedis({ own: true });
const chosen = mutants.filter((mutant) => mutant.name.includes(values.only));
const counts: Record<Outcome, number> = { caught: 0, survived: 0, invalid: 0 };
const waiting = [...chosen];

async function worker(): Promise<void> {
  for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
    const { outcome, detail } = await tryMutant(mutant, redis.url);
    counts[outcome]++;
    const mark = outcome === 'caught' ? pc.green('✔') : pc.red('✖');
    const done = counts.caught + counts.survived + counts.invalid;
    console.log(
      `${mark} ${done}/${chosen.length} ${mutant.name} (${mutant.breaks}): ${outcome}${detail && pc.dim(`, ${detail}`)}`,
    );
  }
}

await Promise.all([worker(), worker()]);
console.log(`${counts.caught} caught, ${counts.survived} survived, ${counts.invalid} invalid.`);
if (counts.caught < chosen.length) {
  process.exitCode = 1;
}
