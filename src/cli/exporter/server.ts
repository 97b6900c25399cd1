import { createServer, type Server } from 'node:http';
import { listen } from '../listen.ts';

const textType = 'text/plain; charset=utf-8';
const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Serves `/metrics` and `/healthz`, which says only that the process lives: a Redis that is away is no reason to restart
 * it.
 *
 * @throws Failure when the address can't be listened on
 */
export async function serveMetrics(
  scrape: () => Promise<string>,
  host: string,
  port: number,
): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    request.resume();
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return answer(405, textType, 'Only GET and HEAD are allowed.\n');
    }
    switch (request.url?.split('?')[0]) {
      case '/metrics':
        return void scrape().then(
          (text) => answer(200, prometheusType, text),
          (error: unknown) => {
            process.stderr.write(`parkade: a bug, please report it: ${error}\n`);
            answer(500, textType, 'The scrape failed; stderr of the exporter says why.\n');
          },
        );
      case '/healthz':
        return answer(200, textType, 'ok\n');
      case '/':
        return answer(200, textType, 'parkade exporter: see /metrics and /healthz\n');
      default:
        return answer(404, textType, 'There are /metrics and /healthz.\n');
    }
  });
  await listen(server, host, port);
  return server;
}
