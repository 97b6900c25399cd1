import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { Redis } from 'ioredis';
import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import type { DemoEvent, Plan } from '../examples/demo/events.ts';
import { findingsOf } from '../examples/demo/findings.ts';
import { figuresOf } from '../examples/demo/report.ts';
import { lanesOf, sentenceOf, statusOf, wrap } from '../examples/demo/timeline.ts';
import { nodeArgs } from '../support/redis/watched.ts';
import { redisUrl } from './support/redis.ts';
import { until } from './support/until.ts';

describe('npm run demo', () => {
  test('serves all requests, three at once at most and first come first served, though a worker is killed', async () => {
    const demo = startDemo({ REDIS_URL: redisUrl() }, '--plain');
    const [output, errors, [code]] = await Promise.all([
      text(demo.stdout),
      text(demo.stderr),
      once(demo, 'exit'),
    ]);
    expect(errors).toBe('');
    expect(stripVTControlCharacters(output)).toBe(output);
    expect(output).toMatch(/worker \d #\d/);
    expect(output).toMatch(/worker \d is killed/);
    expect(output).toMatch(/^ok {2}peak: 3 at once/m);
    expect(output).toMatch(
      /^ok {2}order: first come, first served: .* snapshots and 4\d grants, [34]\d of them seen/m,
    );
    expect(output).toMatch(/^ok {2}served: 40 of 40 answered; the API served 4\d: \d for the killed/m);
    expect(output).toMatch(/utilisation \d+ %: the ideal is 40 × 350 ms \/ 3 = 4\.7 s/);
    expect(output).toMatch(
      /killed: worker \d, while it held\. Its lease of 1\.5 s was over \d\.\d\d s later/,
    );
    expect(code).toBe(0);
    await expectGone(pidsIn(output));

    const prefix = /(parkade-demo-\w+):\*/.exec(output)?.[1];
    const redis = new Redis(redisUrl());
    const keys = (await redis.scanStream({ match: `${prefix}:*`, count: 1000 }).toArray()).flat();
    const ttls = await Promise.all(keys.map((key) => redis.pttl(key)));
    redis.disconnect();
    expect(keys.length).toBeGreaterThan(0);
    for (const ttl of ttls) {
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual((60_000 * 9) / 8); // retentionMs, and an eighth
    }
  }, 90_000);

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)(
    'leaves no process when it is ended by %s in the middle',
    async (signal, expectedCode) => {
      const demo = startDemo({ REDIS_URL: redisUrl() }, '--plain');
      let output = '';
      demo.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
      await until('a request was answered', () => / answered [1-9]/.test(output), 60_000);
      const ended = once(demo, 'exit');
      demo.kill(signal);
      expect((await ended)[0]).toBe(expectedCode);
      await expectGone(pidsIn(output));
    },
    90_000,
  );

  test('says in a sentence where it tried to reach Redis, and ends with 1', async () => {
    const demo = startDemo({ REDIS_URL: 'redis://127.0.0.1:1' });
    const [errors, [code]] = await Promise.all([text(demo.stderr), once(demo, 'exit')]);
    expect(errors).toMatch(/^The Redis at redis:\/\/127\.0\.0\.1:1 .*correct REDIS_URL.*\n$/);
    expect(code).toBe(1);
  });
});

describe('the verdict', () => {
  test('is good when three at once were served in the order of asking', () => {
    expect(failed(story())).toEqual([]);
  });

  test('is bad when the API was asked four things at once', () => {
    expect(failed(story(), { peak: 4 })).toEqual(['peak']);
  });

  test('is bad when a request held while one ahead of it in line waited', () => {
    const events = story().toSpliced(13, 0, seen(101, [25], [14]));
    expect(failed(events)).toEqual(['order']);
    expect(textOf('order', events)).toContain('#5 was served while #4, ahead of it, waited');
  });

  test('is bad when a request had held, between two snapshots, while one ahead of it in line waited', () => {
    const events = [...story(), seen(215, [], [14])];
    expect(failed(events)).toEqual(['order']);
  });

  test('is bad when a request got into line ahead of one that was there before', () => {
    const events = story().with(9, seen(80, [11, 22, 13], [25, 14]));
    expect(failed(events)).toEqual(['order']);
    expect(textOf('order', events)).toContain('#5 got into line ahead of #4');
  });

  test('is bad when a request was granted at once, although one was seen in line before it asked', () => {
    const events: DemoEvent[] = [
      ...story().slice(0, 7),
      seen(60, [11, 22, 13], [14]),
      ...story().slice(10, 13),
      asked(2, 5, 110),
      granted(2, 5, 104, 111),
      seen(120, [25], [14]),
      granted(1, 4, 105, 122),
      answered(2, 5, 200),
      answered(1, 4, 200),
    ];
    expect(failed(events)).toEqual(['order']);
  });

  test('is good, and says so, when only fencing tokens were out of order: a check-in may draw a new one', () => {
    const events = story().with(13, granted(1, 4, 106, 102));
    expect(failed(events)).toEqual([]);
    expect(textOf('order', story())).toContain('fencing tokens rose likewise');
    expect(textOf('order', events)).toContain('fencing tokens did not all rise');
  });

  test('is bad when nobody was seen in line, so that there was no order to compare', () => {
    expect(failed(story().filter(({ kind }) => kind !== 'seen'))).toEqual(['order']);
  });

  test('is bad when a request was not answered', () => {
    expect(failed(story().slice(0, -1))).toEqual(['served']);
  });

  test('is bad when a key would stay in Redis for ever', () => {
    expect(failed(story(), {}, -1)).toEqual(['left']);
  });
});

describe('the figures', () => {
  test('compare the time from the first asking to the last answer with requests × service time / limit', () => {
    const { tookMs, idealMs } = figures(story());
    expect(tookMs).toBe(200);
    expect(idealMs).toBe((5 * 100) / 3);
  });

  const killedAt100: DemoEvent[] = [
    asked(1, 1, 0),
    granted(1, 1, 101, 1),
    { kind: 'killed', worker: 1, atMs: 100 },
  ];

  test("count from the SIGKILL how long the killed worker's permit took to come back", () => {
    const { comeback, cutOff } = figures([
      ...killedAt100,
      seen(120, [11, 22, 23], [24]),
      seen(140, [22, 23], [24]),
      seen(160, [22, 23, 24], []),
    ]);
    expect(comeback).toEqual({ worker: 1, leaseOverAfterMs: 40, inUseAfterMs: 60 });
    expect(cutOff).toBe(1);
  });

  test('name no such time if Redis was not seen to count the dead worker as a holder', () => {
    const { comeback } = figures([...killedAt100, seen(120, [22, 23], [24]), seen(140, [22, 23, 24], [])]);
    expect(comeback).toEqual({ worker: 1, leaseOverAfterMs: undefined, inUseAfterMs: undefined });
  });

  test('count a request that was asked again as answered once', () => {
    const again = [asked(2, 1, 2000), granted(2, 1, 102, 2001), answered(2, 1, 2100)];
    expect(figures([...killedAt100, ...again])).toMatchObject({ answered: 1, cutOff: 1 });
  });
});

describe('the timeline', () => {
  const long: DemoEvent[] = Array.from({ length: 40 }, (_, i) => [
    asked((i % 4) + 1, i + 1, i * 200),
    granted((i % 4) + 1, i + 1, i, i * 200 + 150),
    seen(i * 200 + 160, [], [11, 22, 33, 44, 11, 22, 33, 44]),
    ...(i === 37 ? [] : [answered((i % 4) + 1, i + 1, i * 200 + 500)]),
  ]).flat();

  test.each([120, 80, 40, 12])('is never wider than %i columns, at any moment', (width) => {
    for (const colors of [pc.createColors(true), pc.createColors(false)]) {
      for (let i = 0; i <= long.length; i++) {
        const events = long.slice(0, i);
        const view = {
          plan: { ...plan, requests: 40 },
          nowMs: (events.at(-1)?.atMs ?? 0) + 90,
          width,
          colors,
        };
        for (const line of [...lanesOf(events, view), ...statusOf(events, view)]) {
          expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(width);
        }
      }
    }
  });

  test('tells waiting from holding by shape, and adds up each column', () => {
    expect(
      picture([asked(1, 7, 0), granted(1, 7, 1, 300), asked(2, 8, 0), granted(2, 8, 2, 400)], 650),
    ).toEqual([
      'worker 1 │···█7██',
      '         │',
      'worker 2 │····█8█',
      '         │',
      'held     │0001222',
      '         │└0 s',
    ]);
  });

  test("shows a killed worker's permit until Redis does not count it any more", () => {
    const events: DemoEvent[] = [
      asked(1, 7, 0),
      asked(1, 8, 0),
      granted(1, 7, 1, 100),
      { kind: 'killed', worker: 1, atMs: 400 },
      seen(800, [17], []),
      seen(900, [], []),
    ];
    expect(picture(events, 3000).slice(0, 2)).toEqual(['worker 1 │·█7█✖┄┄┄ lease over', '         │····✖']);
  });

  test('says the same in one line of text', () => {
    expect(sentenceOf(story().slice(0, 10), plan, 200)).toBe(
      ' 0.2 s  answered 0 of 5, in line 2, holding 3: worker 1 #1, worker 2 #2, worker 1 #3',
    );
  });

  test('breaks sentences between words', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  });

  function picture(events: DemoEvent[], nowMs: number): string[] {
    const view = { plan: { ...plan, workers: 2 }, nowMs, width: 80, colors: pc.createColors(false) };
    return lanesOf(events, view)
      .slice(1)
      .map((line) => line.trimEnd());
  }
});

const plan: Plan = {
  workers: 4,
  perWorker: 2,
  requests: 5,
  limit: 3,
  serviceMs: 100,
  leaseMs: 1500,
  presenceMs: 1500,
  retentionMs: 60_000,
};

/** Five requests in order: three at once, then two that were seen in line. */
function story(): DemoEvent[] {
  return [
    asked(1, 1, 0),
    asked(2, 2, 0),
    asked(1, 3, 0),
    granted(1, 1, 101, 1),
    granted(2, 2, 102, 2),
    granted(1, 3, 103, 3),
    asked(1, 4, 50),
    asked(2, 5, 51),
    seen(60, [11, 22, 13], [14]),
    seen(80, [11, 22, 13], [14, 25]),
    answered(1, 1, 100),
    answered(2, 2, 100),
    answered(1, 3, 100),
    granted(1, 4, 104, 102),
    granted(2, 5, 105, 103),
    answered(1, 4, 199),
    answered(2, 5, 200),
  ];
}

function asked(worker: number, request: number, atMs: number): DemoEvent {
  return { kind: 'asked', worker, request, atMs };
}

function granted(worker: number, request: number, fencingToken: number, atMs: number): DemoEvent {
  return { kind: 'granted', worker, request, permitId: `${worker}${request}`, fencingToken, atMs };
}

function answered(worker: number, request: number, atMs: number): DemoEvent {
  return { kind: 'answered', worker, request, atMs };
}

/** Each holder and waiter as its worker's digit followed by its request's. */
function seen(atMs: number, holders: number[], waiters: number[]): DemoEvent {
  const of = (number: number) => ({ id: String(number), worker: Math.floor(number / 10) });
  return { kind: 'seen', sentAtMs: atMs - 5, atMs, holders: holders.map(of), waiters: waiters.map(of) };
}

function figures(events: DemoEvent[], counts: { peak?: number } = {}, ttlMs = 60_000) {
  const keys = { prefix: 'demo', left: [{ key: 'demo:{api}:state', ttlMs }] };
  return figuresOf(plan, { peak: 3, served: 5, ...counts }, events, keys);
}

function findings(...args: Parameters<typeof figures>) {
  return findingsOf(figures(...args));
}

function textOf(title: string, events: DemoEvent[]): string | undefined {
  return findings(events).find((finding) => finding.title === title)?.text;
}

/** The titles of what was not as promised. */
function failed(...args: Parameters<typeof figures>): string[] {
  return findings(...args).flatMap(({ ok, title }) => (ok === false ? [title] : []));
}

function startDemo(env: NodeJS.ProcessEnv, ...args: string[]) {
  const file = fileURLToPath(new URL('../examples/demo/main.ts', import.meta.url));
  return spawn(process.execPath, [...nodeArgs, file, ...args], {
    env: { ...process.env, PARKADE_REDIS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function pidsIn(output: string): number[] {
  const pids = /Workers are processes ([\d, ]+)/.exec(output)?.[1]?.split(', ').map(Number) ?? [];
  expect(pids).toHaveLength(4);
  return pids;
}

async function expectGone(pids: number[]): Promise<void> {
  await until('no worker is left', () => pids.every((pid) => !isAlive(pid)));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
