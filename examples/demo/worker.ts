/** A worker process: puts the requests that it is handed to the API, each under a permit that all workers share. */
import { SemaphoreClient } from '../../src/index.ts';
import type { WorkerSettings } from './crew.ts';

const { worker, redisUrl, apiUrl, prefix, name, plan }: WorkerSettings = JSON.parse(
  process.env['DEMO_WORKER'] ?? '',
);
const { limit, leaseMs, presenceMs, retentionMs } = plan;

const client = new SemaphoreClient(redisUrl, { prefix, label: `worker-${worker}`, presenceMs, retentionMs });
const api = client.semaphore(name, { limit, leaseMs });

async function serve(request: number): Promise<void> {
  tell({ kind: 'asked', request });
  await using permit = await api.acquire();
  tell({ kind: 'granted', request, permitId: permit.id, fencingToken: permit.fencingToken });
  const response = await fetch(`${apiUrl}/requests/${request}`, { method: 'POST', signal: permit.signal });
  await response.text();
  tell({ kind: 'answered', request });
} // the permit is released here, and the next in line has it

process.on('message', (request: number) => {
  serve(request).catch((error: Error) => tell({ kind: 'failed', request, reason: error.message }));
});

/** The main process is done, or gone: nothing is left of the worker then. */
async function end(): Promise<void> {
  await client.close();
  process.exit();
}

function tell(event: object): void {
  if (process.connected) {
    process.send?.({ ...event, worker, atMs: Date.now() });
  }
}

process.on('SIGINT', () => {}); // Ctrl-C is the main process's to hear
process.on('disconnect', end);
if (!process.connected) {
  await end();
}
await api.inspect(); // connected
tell({ kind: 'ready' });
