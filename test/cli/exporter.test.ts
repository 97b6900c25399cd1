import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import parsePrometheus from 'parse-prometheus-text-format';
import { describe, expect, it } from 'vitest';
import { openClient, openProxy } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until, watch } from '../support/until.ts';
import { run, type Started, start } from './command.ts';

/** Starts an exporter on a free port; resolves with its url when it listens. */
async function startExporter(...args: string[]): Promise<Started & { readonly url: string }> {
  const started = await start(['exporter', '--port', '0', ...args]);
  let said = '';
  started.child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const [, url] = await until('it listens', () => /metrics at (http:\S+)\/metrics\n/.exec(said));
  return { ...started, url: url as string };
}

type Series = Record<string, number>;

/** Scrapes. By metric: its value, or its values by the name of the semaphore. */
async function scrape(url: string): Promise<Record<string, Series>> {
  const response = await fetch(`${url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await response.text();
  const metrics = parsePrometheus(text);
  expect(metrics.every(({ type, help }) => type === 'GAUGE' && help !== '')).toBe(true);
  return Object.fromEntries(
    metrics.map(({ name, metrics: values }) => [
      name,
      Object.fromEntries(values.map(({ labels, value }) => [labels?.['semaphore'] ?? '', Number(value)])),
    ]),
  );
}

describe('parkade exporter', () => {
  it('tells limit, units, permits, line and longest wait of every semaphore, as Prometheus text', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    const api = client.semaphore('api', { limit: 3 });
    await api.acquire({ weight: 2 });
    watch(api.acquire({ weight: 2 }));
    watch(api.acquire());
    await client.semaphore('jobs "ü"\\1', { limit: 10 }).acquire();
    await until('two wait', async () => (await client.inspect('api')).waiting === 2);
    const { url } = await startExporter('--prefix', prefix);

    const first = await scrape(url);
    const odd = 'jobs "ü"\\1';
    expect(first).toMatchObject({
      parkade_up: { '': 1 },
      parkade_semaphores: { '': 2 },
      parkade_semaphores_omitted: { '': 0 },
      parkade_semaphore_limit: { api: 3, [odd]: 10 },
      parkade_semaphore_held: { api: 2, [odd]: 1 },
      parkade_semaphore_available: { api: 1, [odd]: 9 },
      parkade_semaphore_permits: { api: 1, [odd]: 1 },
      parkade_semaphore_waiting: { api: 2, [odd]: 0 },
      parkade_semaphore_oldest_wait_seconds: { [odd]: 0 },
    });
    const wait = async () => (await scrape(url))['parkade_semaphore_oldest_wait_seconds']?.['api'] ?? 0;
    const before = await wait();
    expect(before).toBeGreaterThan(0);
    await until('the wait grows', async () => (await wait()) > before);
  });

  it('leaves out semaphores past --max-semaphores, says how many, and looks for names at most every --list-every', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    for (const name of ['c', 'a', 'b']) await client.semaphore(name, { limit: 1 }).acquire();
    const capped = await startExporter('--prefix', prefix, '--max-semaphores', '2');
    const shown = await scrape(capped.url);
    expect(shown['parkade_semaphore_limit']).toEqual({ a: 1, b: 1 });
    expect(shown).toMatchObject({ parkade_semaphores: { '': 3 }, parkade_semaphores_omitted: { '': 1 } });

    await client.semaphore('d', { limit: 1 }).acquire();
    expect((await scrape(capped.url))['parkade_semaphores']).toEqual({ '': 3 });
    const narrow = await startExporter('--prefix', prefix, '--match', '[ad]');
    expect((await scrape(narrow.url))['parkade_semaphore_limit']).toEqual({ a: 1, d: 1 });
    const eager = await startExporter('--prefix', prefix, '--list-every', '0');
    await scrape(eager.url);
    await client.semaphore('e', { limit: 1 }).acquire();
    await until('it is found', async () => (await scrape(eager.url))['parkade_semaphores']?.[''] === 5);
  });

  it('says that Redis is away, without numbers of semaphores, and finds it again', async () => {
    const prefix = uniquePrefix();
    await openClient({ prefix }).semaphore('api', { limit: 1 }).acquire();
    const proxy = await openProxy();
    const { url, child, ended } = await startExporter('--prefix', prefix, '--redis', proxy.url);
    expect(await scrape(url)).toMatchObject({ parkade_up: { '': 1 }, parkade_semaphore_held: { api: 1 } });
    proxy.goAway();
    const away = await scrape(url);
    expect(away).toMatchObject({ parkade_up: { '': 0 } });
    expect(away).not.toHaveProperty('parkade_semaphore_held');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    proxy.resume();
    await until('it is back', async () => (await scrape(url))['parkade_up']?.[''] === 1);
    child.kill('SIGTERM');
    const { stderr } = await ended;
    expect(stderr.match(/did not answer/g)).toHaveLength(1);
    expect(stderr.match(/answers again/g)).toHaveLength(1);
  });

  it('answers several scrapes at a time by one look', async () => {
    const prefix = uniquePrefix();
    await openClient({ prefix }).semaphore('api', { limit: 1 }).acquire();
    const proxy = await openProxy();
    const { url } = await startExporter('--prefix', prefix, '--redis', proxy.url);
    await scrape(url);
    const asked = proxy.count('evalsha');
    proxy.hold('replies');
    const scrapes = Array.from({ length: 20 }, async () => (await fetch(`${url}/metrics`)).text());
    await until('Redis is asked', () => asked.count > 0);
    proxy.resume();
    const texts = await Promise.all(scrapes);
    const looks = new Set(texts.map((text) => /^parkade_scrape_duration_seconds .*$/m.exec(text)?.[0]));
    expect(looks.size).toBeLessThan(texts.length);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with 0 on %s, also with a connection open',
    async (signal) => {
      const { url, child, ended } = await startExporter('--prefix', uniquePrefix());
      await scrape(url); // fetch keeps its connection
      child.kill(signal);
      expect(await ended).toMatchObject({ code: 0, signal: null });
    },
  );

  it('says what it does not serve, and that its port is taken', async () => {
    const { url } = await startExporter('--prefix', uniquePrefix());
    expect((await fetch(`${url}/nothing`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
    expect((await fetch(`${url}/metrics`, { method: 'HEAD' })).status).toBe(200);
    const second = await run(['exporter', '--port', new URL(url).port]);
    expect(second).toMatchObject({ code: 69, stdout: '' });
    expect(second.stderr).toMatch(/^parkade: can't listen on 127\.0\.0\.1 port \d+: .*EADDRINUSE.*\n$/);
    expect(await run(['exporter', '--port', '70000'])).toMatchObject({ code: 64 });
  });

  it('tells every metric that the dashboard and the alert rules look at', async () => {
    const prefix = uniquePrefix();
    await openClient({ prefix }).semaphore('api', { limit: 1 }).acquire();
    const { url } = await startExporter('--prefix', prefix);
    const told = Object.keys(await scrape(url)).sort();
    const used = new Set<string>();
    for (const file of ['grafana/parkade.json', 'prometheus/parkade.rules.yml']) {
      const text = await readFile(resolve(import.meta.dirname, '../../deploy', file), 'utf8');
      const metrics = text.match(/\bparkade_\w+/g) ?? [];
      expect(metrics.length).toBeGreaterThan(5);
      for (const metric of metrics) used.add(metric);
    }
    expect(told).toEqual(expect.arrayContaining([...used]));
    JSON.parse(await readFile(resolve(import.meta.dirname, '../../deploy/grafana/parkade.json'), 'utf8'));
  });
});
