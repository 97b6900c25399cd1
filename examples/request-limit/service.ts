import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SemaphoreClient } from 'parkade';
import { limitRequests } from './limit-requests.ts';

const client = new SemaphoreClient(process.env['REDIS_URL'] ?? 'redis://localhost:6379');
const semaphore = client.semaphore(process.env['SEMAPHORE'] ?? 'reports', { limit: 2, maxWaiting: 4 });

/** At most two requests at once, over all pods and whatever framework they use; four may wait, for ten seconds each. */
export const limited = limitRequests(semaphore, 10_000);

/** What takes long, and should not be done too often at once. */
export async function makeReport(signal: AbortSignal): Promise<string> {
  const response = await fetch(process.env['BACKEND_URL'] ?? '', { signal });
  return response.text();
}

/** Serves until SIGTERM; then takes no more, answers who waits and who is served, and ends. */
export async function serveUntilSigterm(server: Server): Promise<void> {
  const unanswered = new Set<ServerResponse>();
  server.on('request', (_request, response: ServerResponse) => {
    unanswered.add(response);
    response.on('close', () => unanswered.delete(response));
  });
  if (!server.listening) {
    await once(server, 'listening');
  }
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

  await once(process, 'SIGTERM');
  server.close();
  for (const response of unanswered) {
    await once(response, 'close');
  }
  server.closeAllConnections(); // also those that were opened for a request that never came
  await client.close();
}
