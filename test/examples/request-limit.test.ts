import { describe, expect, it } from 'vitest';
import { runExample } from '../support/examples.ts';

const runs = {
  express: () => runExample('request-limit/main.ts express'),
  fastify: () => runExample('request-limit/main.ts fastify'),
  hono: () => runExample('request-limit/main.ts hono'),
};

describe.concurrent.each(Object.entries(runs))('two pods of %s', (_framework, run) => {
  it('let two requests in at once, tell others when to come back, and answer all before they end', async () => {
    const lines = await run();
    const refusals = lines.slice(0, -4);
    expect(refusals.length).toBeGreaterThanOrEqual(4);
    for (const line of refusals) {
      const refusal = /^503, Retry-After: (\d+) \((\d) wait in line, 2 at once, ([\d.]+) s each\)$/.exec(
        line,
      );
      const [seconds = 0, waiting = 0, each = 0] = (refusal ?? []).slice(1).map(Number);
      expect(each).toBeGreaterThan(0.59);
      expect(seconds).toBeGreaterThanOrEqual(Math.ceil((waiting * (each - 0.005)) / 2));
      expect(seconds).toBeLessThanOrEqual(Math.ceil((waiting * (each + 0.005)) / 2));
    }
    expect(lines.slice(-4)).toEqual([
      'Ten at once: 200 200 200 200 200 200 200 200 200 200',
      'Of three in line, the last hung up: 2 wait',
      'SIGTERM meanwhile: 200 200 200 200, exit codes 0 0',
      'Reports made: 16, at most 2 at once',
    ]);
  }, 90_000);
});
