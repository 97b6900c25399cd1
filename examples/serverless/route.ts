import { AcquireTimeoutError } from 'parkade';
import { semaphores } from './semaphores.ts';

export const runtime = 'nodejs'; // the edge runtime opens no connection to Redis

const reports = semaphores.semaphore(process.env['SEMAPHORE'] ?? 'reports', { limit: 1, leaseMs: 10_000 });

export async function GET(request: Request): Promise<Response> {
  try {
    return await reports.run(() => Response.json({ report: 'all is well' }), {
      timeoutMs: 300,
      signal: request.signal, // who leaves the page leaves the line
    });
  } catch (error) {
    if (error instanceof AcquireTimeoutError) {
      return new Response('Busy', { status: 503, headers: { 'retry-after': '2' } });
    }
    throw error;
  }
}
