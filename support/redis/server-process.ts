import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onFreePort } from './free-port.ts';
import { type OwnedServer, type ProcessJob, redisConf } from './job.ts';

const startLimitMs = 30_000;

/** How long a server with a folder to keep may take to write its data before it is killed. */
const farewellLimitMs = 10_000;

/** How many characters of a server's latest output are kept, to tell why it ended. */
const keptOutput = 4_000;

/**
 * Starts a server as a child of this process, on a loopback port, in its data folder.
 *
 * @throws with the server's own last words, if it doesn't get ready within 30 s; nothing is left behind then
 */
export async function startProcess(job: ProcessJob): Promise<OwnedServer> {
  const { dir, port: wantedPort } = job.settings;
  const folder = dir ?? (await mkdtemp(join(tmpdir(), 'parkade-redis-')));
  const removeFolder = async () => {
    if (dir === undefined) await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };

  try {
    return await onFreePort(wantedPort, async (port) => {
      const child = await launch(job, port, folder);
      const gone = ended(child).then(removeFolder);
      const stop = async () => {
        await endProcess(child, dir !== undefined);
        await gone;
      };
      return { url: `redis://127.0.0.1:${port}`, pid: child.pid, gone, stop };
    });
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

/** Resolves with the process when it listens. */
async function launch(job: ProcessJob, port: number, cwd: string): Promise<ChildProcess> {
  // A process group of its own, so that the child that Redis forks to save can be killed along with it.
  // LC_ALL, because Redis doesn't start under a locale that isn't installed.
  const env = { ...process.env, LC_ALL: 'C', ...job.env };
  const child = spawn(job.command, job.args, { cwd, env, detached: true, stdio: 'pipe' });
  process.once('exit', () => killGroup(child));

  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const listen = (chunk: string) => {
      output = (output + chunk).slice(-keptOutput);
      if (output.includes(job.readyLine)) resolve();
    };
    child.stdout.setEncoding('utf8').on('data', listen);
    child.stderr.setEncoding('utf8').on('data', listen);
    child.once('error', reject);
    child.once('close', (code, signal) =>
      reject(new Error(`${job.command} ended with ${signal ?? `code ${code}`}: ${lastWords(output)}`)),
    );
    setTimeout(
      () =>
        reject(new Error(`${job.command} wasn't ready in ${startLimitMs / 1000} s: ${lastWords(output)}`)),
      startLimitMs,
    ).unref();
  });

  child.stdin.on('error', () => {});
  child.stdin.end(redisConf({ ...job.settings.config, bind: '127.0.0.1', port: String(port) }));

  try {
    await ready;
    return child;
  } catch (error) {
    killGroup(child);
    throw error;
  }
}

function lastWords(output: string): string {
  return output.trim().split('\n').slice(-3).join(' | ') || 'it said nothing';
}

async function ended(child: ChildProcess): Promise<void> {
  if (isRunning(child)) await once(child, 'exit');
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** A server whose data is deleted anyway is killed; the other may write its data first. */
async function endProcess(child: ChildProcess, keepsData: boolean): Promise<void> {
  if (keepsData) {
    child.kill('SIGTERM');
    child.kill('SIGCONT'); // A test may have stopped it.
    await Promise.race([ended(child), new Promise((resolve) => setTimeout(resolve, farewellLimitMs))]);
  }
  killGroup(child);
  await ended(child);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || !isRunning(child)) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It ended just now.
  }
}
