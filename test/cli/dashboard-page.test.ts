import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startChromium } from '../../support/chromium.ts';
import { openClient, openRedis } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { type Dashboard, startDashboard } from './dashboard-process.ts';
import { threeSemaphores } from './scene.ts';

let browser: Browser;
const found = await startChromium().catch((error: Error) => error);
if (found instanceof Error) {
  console.log(`The page of parkade dashboard is not tested: ${found.message}`);
}

beforeAll(() => {
  if (!(found instanceof Error)) browser = found.browser;
});
afterAll(() => browser?.close());

/** The page, of which nothing may go wrong unseen: no error, no warning of the policy, nothing fetched elsewhere. */
async function openPage(dashboard: Dashboard, options: BrowserContextOptions = {}, path = ''): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('console', (message) => {
    // A server that is gone and an order that was refused are told in the page; the browser tells them too.
    if (message.type() === 'error' && !/Failed to load resource|ERR_CONNECTION/.test(message.text())) {
      wrong.push(message.text());
    }
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(dashboard.url)) wrong.push(`asked ${request.url()}`);
  });
  onTestFinished(async () => {
    await context.close();
    expect(wrong).toEqual([]);
  });
  await page.goto(path === '' ? dashboard.printed : `${dashboard.url}${path}`);
  return page;
}

const row = (page: Page, name: string) => page.locator('#grid-rows .row:visible', { hasText: name });
/** As it is seen. */
const textOf = async (locator: Locator) => (await locator.allInnerTexts()).join();
const texts = async (page: Page, selector: string) => page.locator(`${selector}:visible`).allInnerTexts();
/** The names in the table, from top to bottom. */
const names = async (page: Page): Promise<string[]> =>
  page.evaluate(`[...document.querySelectorAll('#grid-rows .row:not([hidden])')]
    .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
    .map((row) => row.querySelector('.name').textContent)`);
const picked = (page: Page) => textOf(page.locator('#grid-rows .row[aria-selected="true"]:visible .name'));

const quick = ['--interval', '100ms'];

describe.skipIf(found instanceof Error)('the page of parkade dashboard', () => {
  it('shows every semaphore, live: units held, line, longest wait, and their course', async () => {
    const { prefix, permits } = await threeSemaphores();
    const page = await openPage(await startDashboard(['--prefix', prefix, ...quick]));
    await row(page, 'zero').waitFor();
    expect(await textOf(row(page, 'api'))).toMatch(/^api\s+2 \/ 2\s+2\s+[\d.]+ m?s\s/);
    expect(await textOf(row(page, 'jobs'))).toMatch(/^jobs\s+2 \/ 4\s+–\s+–\s/);
    expect(await textOf(row(page, 'zero'))).toMatch(/^zero\s+0 \/ 5\s+–\s+–\s/);
    expect(await texts(page, '#totals dd')).toEqual(['3', '4', '2', expect.stringMatching(/^[\d.]+ m?s$/)]);
    const isPainted = (name: string) =>
      page.evaluate(`[...document.querySelectorAll('#grid-rows .row:not([hidden])')]
        .filter((row) => row.querySelector('.name').textContent === '${name}')
        .flatMap((row) => [...row.querySelectorAll('.c-use-trail canvas')])
        .some((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean))`);
    await until('what was held is drawn', () => isPainted('api'));
    await permits[0]?.release();
    await until('the line is shorter', async () =>
      /^api\s+2 \/ 2\s+1\s/.test(await textOf(row(page, 'api'))),
    );
  });

  it('shows holders and waiters of the one that is opened, by keys alone', async () => {
    const { prefix, permits } = await threeSemaphores();
    const page = await openPage(await startDashboard(['--prefix', prefix, ...quick]));
    await row(page, 'zero').waitFor();
    const press = (key: string) => page.keyboard.press(key);
    await press('Home');
    expect(await picked(page)).toBe('api');
    await press('ArrowDown');
    expect(await picked(page)).toBe('jobs');
    await press('End');
    expect(await picked(page)).toBe('zero');
    await press('PageUp');
    await press('Enter');
    const detail = page.getByRole('region', { name: 'api' });
    await detail.getByText('2 of 2 units held by 2 permits · 2 waiting').waitFor();
    const holders = await texts(page, '.holders .body .line');
    expect(holders).toHaveLength(2);
    for (const { id } of permits) {
      expect(holders.some((text) => text.includes(id.slice(id.indexOf('/'))))).toBe(true);
    }
    expect(holders[0]).toMatch(/^worker:\S+\s+1\s+≥ (< 1|\d+) s\s+\d+ s\s/);
    const waiters = await texts(page, '.waiters .body .line');
    expect(waiters.map((text) => text.split(/\s+/)[0])).toEqual(['1', '2']);
    expect(new URL(page.url()).hash).toBe('#/api');
    await until('the plots are drawn', async () =>
      /now 2, at most 2$/.test(
        (await page.getByRole('img', { name: 'Waiting' }).getAttribute('aria-label')) ?? '',
      ),
    );
    expect(await detail.getByRole('button', { name: /Resize|Revoke/ }).count()).toBe(0);
    await press('ArrowDown');
    await page.getByRole('region', { name: 'jobs' }).getByText('2 of 4 units held by 1 permit').waitFor();
    await press('Escape');
    await detail.waitFor({ state: 'hidden' });
    expect(await page.evaluate('document.activeElement.id')).toBe('grid');
    await press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.goBack();
    await page.getByRole('region', { name: 'jobs' }).waitFor();
  });

  it('filters and sorts, by keys and by mouse', async () => {
    const { prefix } = await threeSemaphores();
    const page = await openPage(await startDashboard(['--prefix', prefix, ...quick]));
    await row(page, 'zero').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('JO');
    await until('one is left', async () => (await names(page)).join() === 'jobs');
    expect(await textOf(page.locator('#count'))).toBe('1 of 3');
    await page.keyboard.press('Escape');
    await until('all are back', async () => (await names(page)).join() === 'api,jobs,zero');
    await page.keyboard.type('nothing like it');
    await page.getByText('No semaphore fits the filter').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('With a line').click();
    expect(await names(page)).toEqual(['api']);
    await page.getByText('All', { exact: true }).click();
    const sortedBy = () => textOf(page.locator('[aria-sort]:not([aria-sort="none"])'));
    await page.getByRole('button', { name: 'Semaphore' }).click();
    expect(await names(page)).toEqual(['api', 'jobs', 'zero']);
    await page.getByRole('button', { name: 'Semaphore' }).click();
    expect(await names(page)).toEqual(['zero', 'jobs', 'api']);
    expect(await page.getByRole('columnheader', { name: 'Semaphore' }).getAttribute('aria-sort')).toBe(
      'descending',
    );
    await page.locator('#grid').focus();
    await page.keyboard.press('s');
    expect(await sortedBy()).toMatch(/^Held/);
  });

  it('changes nothing before it is confirmed, and shows what became of it', async () => {
    const { prefix, client, permits, waiting } = await threeSemaphores();
    const page = await openPage(await startDashboard(['--prefix', prefix, '--allow-changes', ...quick]));
    expect(new URL(page.url()).hash).toBe(''); // the token does not stay in the url
    await row(page, 'api').click();
    const holders = page.getByRole('table', { name: 'Holders' });
    await holders.waitFor();
    const permit = permits[0]?.id ?? '';
    const revoke = holders.getByRole('button', { name: `Revoke ${permit}` });
    await revoke.click();
    const question = page.getByRole('dialog', { name: 'Revoke this permit?' });
    expect(await textOf(question)).toContain(permit);
    await page.keyboard.press('Enter'); // the button that has the focus is to cancel
    await question.waitFor({ state: 'hidden' });
    expect(permits[0]?.signal.aborted).toBe(false);
    await revoke.click();
    await question.getByRole('button', { name: 'Revoke' }).click();
    await page.getByText(/^The permit of worker:\S+ is revoked\.$/).waitFor();
    await until(
      'the holder is told, and the next served',
      () => permits[0]?.signal.aborted && waiting[0]?.state === 'resolved',
    );
    await revoke.waitFor({ state: 'detached' }).catch(() => revoke.waitFor({ state: 'hidden' }));

    await page.locator('#grid').focus();
    await page.keyboard.press('r');
    const resize = page.getByRole('dialog', { name: 'Resize' });
    const go = resize.getByRole('button', { name: 'Resize' });
    expect(await go.isDisabled()).toBe(true);
    await page.keyboard.type('1');
    await resize.getByText('Nothing is taken from who holds now').waitFor();
    await client.semaphore('api', { limit: 2 }).resize(3); // by somebody else, meanwhile
    await page.keyboard.press('Enter');
    await resize.getByText('The limit is 3 by now').waitFor();
    expect((await client.inspect('api')).limit).toBe(3);
    await page.keyboard.press('Escape');
    await page.getByText(/3 of 3 units held/).waitFor();
    await page.getByRole('button', { name: 'Resize…' }).click();
    await page.keyboard.type('7');
    await page.keyboard.press('Enter');
    await page.getByText('api has 7 units now.').waitFor();
    expect((await client.inspect('api')).limit).toBe(7);
  });

  it('takes names and labels for text, whatever they are', async () => {
    const prefix = uniquePrefix();
    const evil = '<img src=x onerror="document.title=`hacked`">';
    const client = openClient({ prefix, label: '<b onclick=alert(1)>x<script>1;' });
    const names = [
      evil,
      '"><svg onload=alert(1)>',
      "'; alert(1); '",
      'a‮evil',
      '__proto__',
      '%2e%2e#?&=/',
      '日本語 ü',
    ];
    for (const name of names) await client.semaphore(name, { limit: 1 }).acquire();
    // What only looks like one of ours must not stand in the way of the others.
    await openRedis().hset(`${prefix}:{${'x'.repeat(300)}}:state`, 'limit', 1);
    const page = await openPage(await startDashboard(['--prefix', prefix, '--allow-changes', ...quick]));
    for (const name of names) {
      await page.locator('#grid-rows .name:visible').getByText(name, { exact: true }).click();
      await page.getByRole('heading', { name, exact: true }).waitFor();
      await page.getByRole('table', { name: 'Holders' }).getByRole('button').first().click();
      const dialog = page.getByRole('dialog');
      expect(await textOf(dialog)).toContain(client.id);
      await page.keyboard.press('Escape');
      await dialog.waitFor({ state: 'hidden' });
      await page.goto(page.url()); // its name is in the url
      await page.getByRole('heading', { name, exact: true }).waitFor();
    }
    expect(await page.locator('main b:not(:empty) *, main script, main svg, main img').count()).toBe(0);
    expect(await page.title()).toBe('parkade');
  });

  it('is told of a lost connection, and comes back by itself, or asks for the token of a new server', async () => {
    const { prefix } = await threeSemaphores();
    const first = await startDashboard(['--prefix', prefix, ...quick]);
    const page = await openPage(first);
    await row(page, 'api').click();
    await page.getByText(/2 of 2 units held/).waitFor();
    first.child.kill('SIGTERM');
    await first.ended;
    await page.getByText(/^The dashboard was ended; what you see is old\. Trying again/).waitFor();
    expect(await page.title()).toBe('parkade (not connected)');
    const again = ['--prefix', prefix, '--port', new URL(first.url).port, ...quick];
    const second = await startDashboard(again);
    await page
      .getByRole('button', { name: 'Try now' })
      .click()
      .catch(() => {}); // or it has tried already
    await page.getByText('live', { exact: true }).waitFor();
    await page.locator('#banner').waitFor({ state: 'hidden' });
    second.child.kill('SIGKILL');
    await page.getByText(/^The dashboard does not answer/).waitFor();
    const third = await startDashboard([...again, '--allow-changes']);
    const signIn = page.getByRole('dialog', { name: 'This dashboard needs a token' });
    await signIn.waitFor();
    await page.keyboard.type('not the token');
    await page.keyboard.press('Enter');
    await signIn.getByText('That is not the token.').waitFor();
    await page.getByRole('textbox', { name: 'Token' }).fill(third.token ?? '');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Resize…' }).waitFor();
  });

  it('draws only what is in sight of a thousand semaphores', async () => {
    const prefix = uniquePrefix();
    const client = openClient({ prefix });
    const all = Array.from({ length: 1_000 }, (_, i) => `queue-${String(i).padStart(4, '0')}`);
    await Promise.all(all.map((name) => client.semaphore(name, { limit: 1 }).acquire()));
    const page = await openPage(await startDashboard(['--prefix', prefix, '--interval', '500ms']));
    await until('all are found', async () => (await textOf(page.locator('#total-semaphores'))) === '1,000');
    expect(await page.locator('#grid-rows .row').count()).toBeLessThan(40);
    await page.getByRole('button', { name: 'Semaphore' }).click();
    await page.locator('#grid').focus();
    await page.keyboard.press('End');
    expect(await picked(page)).toBe('queue-0999');
    expect((await names(page)).at(-1)).toBe('queue-0999');
    expect(await page.locator('#grid-rows .row').count()).toBeLessThan(40);
    expect(await page.locator('#grid').getAttribute('aria-rowcount')).toBe('1001');
  });

  it('has dark colours where they are preferred, and fits a narrow window', async () => {
    const { prefix } = await threeSemaphores();
    const dashboard = await startDashboard(['--prefix', prefix, '--allow-changes', ...quick]);
    const viewport = { width: 360, height: 640 };
    const page = await openPage(dashboard, { colorScheme: 'dark', viewport });
    await row(page, 'api').click();
    await page.getByRole('table', { name: 'Holders' }).waitFor();
    const luminance =
      'getComputedStyle(document.body).backgroundColor.match(/\\d+/g).reduce((sum, part) => sum + Number(part), 0)';
    expect(await page.evaluate(luminance)).toBeLessThan(150);
    const overflow =
      'document.documentElement.scrollWidth - innerWidth + document.querySelector("#detail").scrollWidth - document.querySelector("#detail").clientWidth';
    expect(await page.evaluate(overflow)).toBe(0);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await page.evaluate(luminance)).toBeGreaterThan(600);
  });
});
