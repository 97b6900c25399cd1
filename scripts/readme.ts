import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pc from 'picocolors';

// Types the steps of the README literally, in a clean clone of what is committed.

const help = `npm run test:readme -- [options]

  --only TEXT       only the steps in which TEXT occurs
  --leave-out TEXT  without the steps in which TEXT occurs, such as 'npm test', which takes minutes
  --list            shows the steps, and runs none

Steps are the shell blocks of README.md, in their order. Ends with 1 at the first that fails.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    'leave-out': { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const repository = resolve(import.meta.dirname, '..');

function stepsOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block.trim());
  const leftOut = values['leave-out'];
  return blocks.filter((block) => block.includes(values.only) && !(leftOut && block.includes(leftOut)));
}

/** As at somebody else's terminal: without what npm tells the scripts that it runs. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_ENV$|INIT_CWD$)/i.test(name)),
);

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  const [code, signal] = await once(
    spawn(command, args, { cwd, env: environment, stdio: 'inherit' }),
    'exit',
  );
  if (code !== 0) {
    throw new Error(`ended with ${signal ?? code}`);
  }
}

async function main(): Promise<number> {
  const steps = stepsOf(readFileSync(join(repository, 'README.md'), 'utf8'));
  if (steps.length === 0) {
    console.error('No such step in README.md.');
    return 1;
  }
  if (values.list) {
    console.log(steps.join('\n'));
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'parkade-readme-'));
  try {
    await run('git', ['clone', '--quiet', repository, folder], repository);
    for (const step of steps) {
      console.log(`${pc.bold(`$ ${step}`)}`);
      const startMs = performance.now();
      await run('bash', ['-ec', step], folder);
      console.log(pc.green(`✔ ${step}`), pc.dim(`${((performance.now() - startMs) / 1000).toFixed(0)} s`));
    }
    return 0;
  } catch (error) {
    console.log(pc.red(`✖ ${error instanceof Error ? error.message : error}`));
    return 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (values.help) {
  console.log(help);
} else {
  process.exitCode = await main();
}
