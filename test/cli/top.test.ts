import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { stripVTControlCharacters as plain } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openClient } from '../support/clients.ts';
import { uniquePrefix } from '../support/redis.ts';
import { until } from '../support/until.ts';
import { builtProgram, run, start } from './command.ts';
import { threeSemaphores } from './scene.ts';
import { hasTerminals, openTerminal } from './terminal.ts';

async function openTop(args: readonly string[]) {
  const terminal = openTerminal(process.execPath, [await builtProgram(), 'top', ...args]);
  return {
    ...terminal,
    /** The lines of the last whole screen. */
    screen: () =>
      plain(terminal.output().split('\u001b[H').slice(0, -1).at(-1) ?? '')
        .split('\r\n')
        .map((line) => line.trimEnd()),
  };
}

/** Three semaphores, and `top` that shows them. */
async function scene() {
  const { prefix, ...semaphores } = await threeSemaphores();
  const top = await openTop(['--prefix', prefix, '--interval', '100ms']);
  const shows = (what: string, pattern: RegExp) =>
    until(what, () => top.screen().some((line) => pattern.test(line)));
  return { ...semaphores, top, shows };
}

describe.skipIf(!hasTerminals)('parkade top', () => {
  it('shows every semaphore with a bar, units held of the limit, its line and the longest wait, live', async () => {
    const { top, shows, permits, waiting } = await scene();
    await shows('the full one', /^› api +█{20} +2\/2 +2 +[\d.]+ m?s/);
    await shows('the half full one', /^ {2}jobs +█{10}░{10} +2\/4 +0/);
    await shows('the idle one', /^ {2}zero +░{20} +0\/5 +0/);
    expect(top.screen()[0]).toMatch(/^parkade: 3 semaphores by use; 4 units held, 2 waiting/);
    await permits[0]?.release();
    await shows('a shorter line', /^› api .* 2\/2 +1 /);
    expect(waiting[0]?.state).toBe('resolved');
    await shows('a grant that it saw', /^› api .* ≥ 0\.[1-9]|^› api .* ≥ [1-9]/);
    top.press('q');
    expect(await top.code).toBe(0);
  });

  it('picks one, shows who holds it and who waits, and goes back', async () => {
    const { top, shows, permits } = await scene();
    await shows('all of them', /^› api/);
    await shows('the last of them', /zero/);
    top.press('j');
    await shows('the next picked', /^› jobs/);
    top.press('k');
    await shows('the first picked again', /^› api/);
    top.press('\r');
    await shows('its holders', new RegExp(`worker:.* 1 +[\\d.]+ m?s +.*${permits[0]?.id.split('/')[1]}`));
    await shows('its waiters', /^ {2}WAITER +UNITS +WAITS FOR/);
    expect(top.screen().filter((line) => /^ {2}worker:/.test(line))).toHaveLength(4);
    top.press('\u001b');
    await shows('all of them again', /^ {2}jobs/);
    top.press('q');
    expect(await top.code).toBe(0);
  });

  it('sorts by what a key says, and follows the size of the terminal', async () => {
    const { top, shows } = await scene();
    await shows('by use at first', /^parkade: 3 semaphores by use/);
    top.press('n');
    await shows('by name', /semaphores by name/);
    top.resize(10, 60);
    await until('it is as large as the terminal', () => top.screen().length <= 10);
    expect(Math.max(...top.screen().map((line) => line.length))).toBeLessThanOrEqual(60);
    top.press('q');
    expect(await top.code).toBe(0);
  });

  it.each(['q', '\u0003'])('gives the terminal back at the end: %j', async (key) => {
    const { top, shows } = await scene();
    await shows('something', /api/);
    top.press(key);
    expect(await top.code).toBe(0);
    expect(top.output()).toContain('\u001b[?1049h');
    expect(top.output().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  });
});

describe('parkade top without a terminal', () => {
  it('says what to use instead', async () => {
    const { code, stdout, stderr } = await run(['top']);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toBe('parkade: top needs a terminal; without one, use parkade top --json\n');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'writes one object a look with --json, until %s',
    async (signal) => {
      const prefix = uniquePrefix();
      const api = openClient({ prefix }).semaphore('api', { limit: 2 });
      await api.acquire();
      const { child, ended } = await start(['top', '--json', '--prefix', prefix, '--interval', '100ms']);
      const looks: { at: string; semaphores: unknown[] }[] = [];
      createInterface({ input: child.stdout as Readable }).on('line', (line) => looks.push(JSON.parse(line)));
      await until('it has looked', () => looks.length > 0);
      await api.acquire();
      await until('it has seen the grant', () =>
        looks.some(({ semaphores: [one] }) => (one as { grantsPerS: number }).grantsPerS > 0),
      );
      child.kill(signal);
      expect(await ended).toMatchObject({ code: 0, stderr: '' });
      expect(looks[0]?.semaphores).toEqual([
        expect.objectContaining({
          name: 'api',
          limit: 2,
          held: 1,
          available: 1,
          waiting: 0,
          oldestWaitMs: 0,
        }),
      ]);
      expect(looks.at(-1)?.semaphores).toEqual([
        expect.objectContaining({ held: 2, available: 0, holding: 2 }),
      ]);
      expect(new Date(looks[0]?.at ?? '').getTime()).toBeGreaterThan(Date.now() - 60_000);
    },
  );
});
