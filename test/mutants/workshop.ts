import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { type Mutant, readSuite } from './mutant.ts';

const root = resolve(import.meta.dirname, '../..');

/** How long a test may take, and how long it waits for a condition, ms. Healthy tests of scripts and client need less. */
const testTimeoutMs = 15_000;
const patienceMs = 6_000;
/** For all tests of one suite. */
const suiteTimeoutMs = 120_000;

/** What became of a suite. */
export type Outcome =
  | { readonly kind: 'failed'; readonly test: string; readonly ms: number }
  | { readonly kind: 'passed'; readonly tests: number; readonly ms: number }
  /** Proves nothing: no test ran, or the script is no Lua. */
  | { readonly kind: 'invalid'; readonly why: string };

export interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly isTimedOut: boolean;
}

/** A copy of the project that may be broken. */
export class Workshop implements Disposable {
  readonly folder: string;
  readonly #redisUrl: string;

  constructor(redisUrl: string) {
    this.#redisUrl = redisUrl;
    this.folder = mkdtempSync(join(tmpdir(), 'parkade-mutants-'));
    cpSync(root, this.folder, {
      recursive: true,
      filter: (path) => !/^(node_modules|\.git|\.cache|dist)(\/|$)/.test(relative(root, path)),
    });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
    symlinkSync(join(root, '.cache'), join(this.folder, '.cache'));
  }

  /** Breaks the copy while something is done with it. */
  async broken<T>(
    { file, from, to }: Mutant,
    act: () => Promise<T>,
  ): Promise<T | { kind: 'invalid'; why: string }> {
    const path = join(this.folder, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(from).length !== 2) {
      return { kind: 'invalid', why: `its text does not stand exactly once in ${file}` };
    }
    try {
      writeFileSync(
        path,
        text.replace(from, () => to),
      );
      await this.#embed(file);
      return await act();
    } finally {
      writeFileSync(path, text);
      await this.#embed(file);
    }
  }

  /** Runs a suite until its first failure. */
  async run(suite: string): Promise<Outcome> {
    const report = join(this.folder, 'report.json');
    rmSync(report, { force: true });
    const { path, titles } = readSuite(suite);
    const place = existsSync(join(this.folder, `${path}.test.ts`)) ? `${path}.test.ts` : `${path}/`;
    const args = ['run', place, '--bail=1', '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`];
    args.push(`--testTimeout=${testTimeoutMs}`);
    if (titles !== undefined) args.push('-t', titles.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const startMs = performance.now();
    const { isTimedOut } = await this.command('vitest', args, suiteTimeoutMs);
    if (isTimedOut) return { kind: 'invalid', why: `the suite takes longer than ${suiteTimeoutMs} ms` };
    return judge(report, performance.now() - startMs);
  }

  /** A command in the copy. It and all that it has started end with its time, or with this process. */
  command(name: string, args: readonly string[], timeoutMs: number): Promise<Ended> {
    return new Promise((done, failed) => {
      const child = spawn(join(root, 'node_modules/.bin', name), args, {
        cwd: this.folder,
        env: {
          ...process.env,
          REDIS_URL: this.#redisUrl,
          PARKADE_ON: 'standalone',
          PARKADE_PATIENCE_MS: `${patienceMs}`,
          NO_COLOR: '1',
        },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true, // a group of its own, to be ended as one
      });
      const end = () => {
        try {
          process.kill(-(child.pid as number), 'SIGKILL');
        } catch {
          // It has ended.
        }
      };
      let output = '';
      let isTimedOut = false;
      child.stdout.on('data', (chunk) => {
        output += chunk;
      });
      child.stderr.on('data', (chunk) => {
        output += chunk;
      });
      const timer = setTimeout(() => {
        isTimedOut = true;
        end();
      }, timeoutMs);
      process.once('exit', end);
      const settle = () => {
        clearTimeout(timer);
        process.off('exit', end);
      };
      child.once('error', (error) => {
        settle();
        failed(error);
      });
      child.once('close', (code) => {
        settle();
        done({ code, output, isTimedOut });
      });
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes anew what is generated from this file. */
  async #embed(file: string): Promise<void> {
    const script = file.startsWith('src/cli/dashboard/page/') ? 'embed-page' : 'embed-lua';
    await this.command('tsx', [`scripts/${script}.ts`], suiteTimeoutMs);
  }
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function judge(report: string, ms: number): Outcome {
  let read: Report;
  try {
    read = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { kind: 'invalid', why: 'the tests left no report' };
  }
  const tests = read.testResults.flatMap(({ assertionResults }) => assertionResults);
  const failed = tests.find(({ status }) => status === 'failed');
  if (failed !== undefined) {
    const unfit = /Error compiling script|nonexistent global variable/.exec(
      failed.failureMessages.join('\n'),
    );
    return unfit === null
      ? { kind: 'failed', test: failed.title, ms }
      : { kind: 'invalid', why: `no Lua: ${unfit[0]}` };
  }
  const passed = tests.filter(({ status }) => status === 'passed').length;
  return passed === 0
    ? { kind: 'invalid', why: `no test ran ${read.testResults[0]?.message ?? ''}`.trimEnd() }
    : { kind: 'passed', tests: passed, ms };
}
