/**
 * Takes the pictures in docs/dashboard/: a garage full of semaphores under changing load, the command, and a browser.
 *
 *     npm run build && npm run redis -- npx tsx scripts/draw-dashboard.ts [FOLDER] [SECONDS]
 */
import { spawn } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SemaphoreClient } from '../src/index.ts';
import { startChromium } from '../support/chromium.ts';

const [folder = 'docs/dashboard', seconds = '130'] = process.argv.slice(2);
const redisUrl = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
const prefix = 'garage';

/** Name, limit, tasks, and for how long each holds, ms. */
const semaphores: readonly (readonly [name: string, limit: number, tasks: number, holdMs: number])[] = [
  ['payments-api', 3, 9, 2_400],
  ['encoder', 8, 7, 9_000],
  ['nightly-report', 1, 1, 60_000],
  ['image-resize', 20, 22, 1_500],
  ['search-index', 4, 3, 3_000],
  ['geocoder', 10, 6, 700],
  ['mail-relay', 6, 7, 1_200],
  ['pdf-render', 4, 9, 4_000],
  ['crm-sync', 2, 2, 8_000],
  ['ledger-export', 1, 3, 12_000],
  ['thumbnails', 32, 18, 900],
  ['webhooks:acme', 5, 3, 600],
  ['webhooks:globex', 5, 6, 1_100],
  ['webhooks:initech', 5, 1, 400],
  ['warehouse-db', 12, 10, 2_600],
  ['rate:openmaps', 15, 4, 500],
  ['feature-store', 6, 2, 1_700],
  ['backup', 1, 0, 0],
];
const labels = ['web-1', 'web-2', 'worker-a', 'worker-b', 'cron'];

const end = new AbortController();
setMaxListeners(0, end.signal);
const clients = labels.map((label) => new SemaphoreClient(redisUrl, { prefix, label, retentionMs: 600_000 }));
const began = performance.now();

/** More is done at some times than at others, each semaphore in a rhythm of its own. */
const load = (i: number) =>
  0.65 + 0.55 * Math.sin((performance.now() - began) / (9_000 + 2_100 * i) + i * 1.7);

async function work(client: SemaphoreClient, i: number, task: number): Promise<void> {
  const [name, limit, tasks, holdMs] = semaphores[i] as (typeof semaphores)[number];
  const semaphore = client.semaphore(name, { limit });
  const weight = name === 'encoder' && task % 3 === 0 ? 2 : 1;
  while (!end.signal.aborted) {
    if (task / tasks >= load(i)) {
      await sleep(200 + 50 * task);
      continue;
    }
    const permit = await semaphore.acquire({ weight, signal: end.signal });
    await sleep(holdMs * (0.5 + Math.random()), undefined, { signal: end.signal }).catch(() => {});
    await permit.release().catch(() => {});
    await sleep(holdMs * 0.1 * Math.random());
  }
}

const works = semaphores.flatMap(([, , tasks], i) =>
  Array.from({ length: tasks }, (_, task) =>
    work(clients[(i + task) % clients.length] as SemaphoreClient, i, task).catch(() => {}),
  ),
);
await (await clients[0]?.semaphore('backup', { limit: 1 }).acquire())?.release();

const dashboard = spawn(
  process.execPath,
  [
    'dist/cli/main.mjs',
    'dashboard',
    ...[
      '--redis',
      redisUrl,
      '--prefix',
      prefix,
      '--port',
      '0',
      '--allow-changes',
      '--history',
      '2m',
      '--idle-interval',
      '1s',
    ],
  ],
  { stdio: ['ignore', 'inherit', 'pipe'] },
);
try {
  const [said] = (await once(dashboard.stderr, 'data')) as [Buffer];
  const url = /http\S+/.exec(said.toString())?.[0] as string;
  const { browser } = await startChromium();
  console.error(`Filling plots for ${seconds} s…`);
  await sleep(Number(seconds) * 1000);
  const shoot = async (
    name: string,
    colorScheme: 'light' | 'dark',
    viewport: { width: number; height: number },
    open?: string,
  ) => {
    const context = await browser.newContext({ colorScheme, viewport });
    const page = await context.newPage();
    await page.goto(url);
    await page.getByRole('row', { name: /payments-api/ }).waitFor();
    if (open !== undefined) {
      await page.getByRole('row', { name: new RegExp(open) }).click();
      await page.getByRole('table', { name: 'Holders' }).waitFor();
    }
    await sleep(2_500); // a few looks
    await page.screenshot({ path: resolve(folder, `${name}.png`) });
    await context.close();
  };
  mkdirSync(folder, { recursive: true });
  await shoot('overview', 'light', { width: 1280, height: 800 });
  await shoot('detail-dark', 'dark', { width: 1280, height: 800 }, 'payments-api');
  await shoot('narrow', 'light', { width: 400, height: 720 });
  await browser.close();
} finally {
  dashboard.kill();
  end.abort();
  await Promise.all(works);
  await Promise.all(clients.map((client) => client.close()));
}
