/**
 * The process between a script and its server. It owns the server and holds a pipe to the script; when the
 * pipe closes, because the script called stop(), ended, crashed or was killed, it ends the server and deletes
 * what the server left. It runs in a session of its own, so that a Ctrl-C, meant for the script, can't reach it.
 *
 * It is started by `startWatched`, gets one Job and answers with one Report.
 */
import type { Job, OwnedServer, Report } from './job.ts';

/** A Docker daemon that is stuck must not keep whoever waits for the end waiting. */
const endLimitMs = 30_000;

let starting: Promise<OwnedServer> | undefined;
let ending = false;

process.once('message', async (job: Job) => {
  try {
    starting = start(job);
    const server = await starting;
    await report({ url: server.url, pid: server.pid });
    await server.gone;
  } catch (error) {
    await report({ failed: error instanceof Error ? error.message : String(error) });
  }
  end();
});

process.on('disconnect', end);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);

// Writing to a script that was killed must not end the cleaning up.
process.stderr.on('error', () => {});

async function start(job: Job): Promise<OwnedServer> {
  switch (job.kind) {
    case 'process':
      return (await import('./server-process.ts')).startProcess(job);
    case 'container':
      return (await import('./container.ts')).startContainer(job);
  }
}

/** Resolves when the report is on its way, or can't be given any more. */
function report(report: Report): Promise<void> {
  return new Promise((resolve) => process.send?.(report, () => resolve()));
}

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  try {
    const server = await starting?.catch(() => undefined);
    setTimeout(() => process.exit(1), endLimitMs);
    await server?.stop();
    process.exit(0);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
