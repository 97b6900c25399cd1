import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Job, Report } from './job.ts';

/** A server that lives no longer than this process. */
export interface WatchedServer {
  readonly url: string;
  readonly pid: number | undefined;
  /** Resolves when the server is gone and what it left is deleted; may be called again. */
  stop(): Promise<void>;
}

/** The arguments with which Node runs the TypeScript files of this folder. */
export const nodeArgs: readonly string[] = [
  '--no-warnings',
  '--import',
  pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href,
];

/**
 * Starts a server under a watchdog (see watchdog.ts). Once it runs, it doesn't keep this process alive.
 *
 * @throws an error that says why the server didn't start; nothing is left behind then
 */
export async function startWatched(job: Job): Promise<WatchedServer> {
  const watchdog = fork(fileURLToPath(new URL('watchdog.ts', import.meta.url)), {
    detached: true,
    execArgv: [...nodeArgs],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const exited = once(watchdog, 'exit').then(([code]) => code as number | null);
  let errors = '';
  watchdog.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });

  const reported = once(watchdog, 'message').then(([report]) => report as Report);
  watchdog.send(job);
  const report = await Promise.race([
    reported,
    exited.then(() => ({ failed: `the watchdog ended: ${errors}` })),
  ]);
  if ('failed' in report) throw new Error(report.failed);

  letGo(watchdog);
  return {
    url: report.url,
    pid: report.pid,
    async stop() {
      watchdog.ref();
      if (watchdog.connected) watchdog.disconnect();
      if ((await exited) !== 0) throw new Error(`The Redis at ${report.url} may still be there: ${errors}`);
    },
  };
}

/** Lets this process end while the other one and the pipes to it are open. */
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  (child.stderr as Socket | null)?.unref();
}
