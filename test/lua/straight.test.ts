import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SemaphoreKeys } from '../../src/redis/keys.ts';
import { type Client, type RequestOptions, Scene } from './support.ts';

/*
 * The straight ways at the top of acquire and release must be nothing but quick. The same calls go to two semaphores: in
 * one the clients know the terms, so that calls may go straight on; in the other they never do, so that each takes the
 * whole script. Every reply and all keys must be the same, to the last number.
 */

type Call = (client: Client, records: string[]) => Promise<unknown>;

interface Step {
  readonly client: number;
  readonly call?: Call;
  /** Before the call, ms; 1 if it is not said, less than 0 when the clock is set back. */
  readonly advanceMs?: number;
  /** Before the call, Redis loses this key. */
  readonly loses?: keyof SemaphoreKeys;
  readonly tells: string;
}

const client = fc.nat({ max: 1 });
/** Of the records so far, the so many-th last. */
const which = fc.nat({ max: 5 });
const pick = (records: readonly string[], draw: number) =>
  records[Math.max(0, records.length - 1 - draw)] ?? 'a/999/1/500';

const acquires = fc
  .record({
    client,
    count: fc.integer({ min: 1, max: 3 }),
    weights: fc.constantFrom([1], [1], [2], [1, 2]),
    leaseMs: fc.constantFrom(500, 30_000, 30_000),
    isTry: fc.boolean(),
    again: fc.constantFrom('no', 'no', 'no', 'the same', 'one more'),
  })
  .map(({ client, count, weights, leaseMs, isTry, again }): Step => {
    const call: Call = async (asker, records) => {
      const maxWaiting = isTry ? 0 : -1;
      const requests = Array.from({ length: count }, (_, i) =>
        asker.request({ weight: weights[i % weights.length] ?? 1, leaseMs, maxWaiting }),
      );
      records.push(...requests.map(({ record }) => record));
      const first = await asker.raw.acquire(requests, 'settled');
      if (again === 'no') return first;
      const others = again === 'one more' ? [asker.request({ leaseMs, maxWaiting })] : [];
      records.push(...others.map(({ record }) => record));
      return [first, await asker.raw.acquire([...requests, ...others], 'settled')];
    };
    const tells = `client ${client} acquires ${count} of weight ${weights} for ${leaseMs} ms${isTry ? ', or not at all' : ''}, again: ${again}`;
    return { client, call, tells };
  });

const releases = fc
  .record({ client, draws: fc.array(which, { minLength: 1, maxLength: 3 }), isOld: fc.nat({ max: 7 }) })
  .map(({ client, draws, isOld }): Step => {
    const call: Call = async (owner, records) => {
      const own = records.filter((record) => record.startsWith(`${owner.id}/`));
      // Most are the caller's own and not released before.
      const chosen = draws.map((draw) => pick(isOld === 0 ? records : own, draw));
      records.splice(0, records.length, ...records.filter((one) => isOld === 1 || !chosen.includes(one)));
      return owner.raw.release(isOld === 2 ? chosen : [...new Set(chosen)]);
    };
    return { client, call, tells: `client ${client} releases the last but ${draws}` };
  });

const others = fc
  .record({
    client,
    draw: which,
    what: fc.constantFrom('renew', 'beat', 'beat', 'resize', 'revoke', 'bounded'),
  })
  .map(({ client, draw, what }): Step => {
    const call: Call = async (caller, records) => {
      switch (what) {
        case 'renew':
          return caller.raw.renew([{ record: pick(records, draw), leaseMs: 700 }]);
        case 'resize':
          return caller.raw.resize(5 + draw);
        case 'revoke':
          return caller.raw.revoke(pick(records, draw), 1_000);
        case 'bounded':
          caller.bounded = true;
          caller.terms = 0; // as a session does
          return undefined;
        default:
          return caller.raw.beat(draw > 2, [pick(records, draw)]);
      }
    };
    return { client, call, tells: `client ${client}: ${what} ${draw}` };
  });

const passings = (...ms: number[]) =>
  fc.constantFrom(...ms).map((advanceMs): Step => ({ client: 0, advanceMs, tells: `${advanceMs} ms pass` }));
const losses = fc
  .constantFrom(...(['permits', 'waiters', 'clients'] as const))
  .map((loses): Step => ({ client: 0, loses, tells: `the ${loses} are lost` }));

const lengths = { minLength: 10, maxLength: 30, size: 'max' } as const;
const wild = fc.array(
  fc.oneof(
    { arbitrary: acquires, weight: 20 },
    { arbitrary: releases, weight: 20 },
    { arbitrary: others, weight: 3 },
    { arbitrary: passings(0.4, 1, 20, 300, 499, 500, 501, 600, 1_100, 6_000, -0.4, -3), weight: 6 },
    { arbitrary: losses, weight: 1 },
  ),
  lengths,
);
/** Nothing that would end the calm for long: who holds for longest gives back, as it is when many take turns. */
const turns = fc.record({ client, count: fc.integer({ min: 1, max: 3 }) });
const calm = fc.array(
  fc.oneof(
    {
      arbitrary: turns.map(({ client, count }): Step => {
        const call: Call = (asker, records) => {
          const requests = asker.requests(count);
          records.push(...requests.map(({ record }) => record));
          return asker.raw.acquire(requests, 'settled');
        };
        return { client, call, tells: `client ${client} acquires ${count}` };
      }),
      weight: 4,
    },
    {
      arbitrary: turns.map(({ client, count }): Step => {
        const call: Call = async (owner, records) => {
          const oldest = records.filter((record) => record.startsWith(`${owner.id}/`)).slice(0, count);
          records.splice(0, records.length, ...records.filter((record) => !oldest.includes(record)));
          return oldest.length > 0 ? owner.raw.release(oldest) : undefined;
        };
        return { client, call, tells: `client ${client} releases its ${count} oldest` };
      }),
      weight: 4,
    },
    { arbitrary: acquires, weight: 1 },
    { arbitrary: passings(0.4, 1, 20), weight: 1 },
  ),
  lengths,
);
const steps = fc.oneof(calm, wild);

/** How calls were answered: went straight on and done, queued, handed off to the caller itself; or by the whole script. */
const noCounts = { done: 0, queued: 0, handedOff: 0, whole: 0 };

function wayOf(reply: unknown): keyof typeof noCounts {
  if (Array.isArray(reply)) return typeof reply[0] === 'number' ? 'handedOff' : 'whole';
  return Number(reply) < 0 ? 'queued' : 'done';
}

/** One semaphore with two clients, what they are told, and how many calls went which way. */
async function openSide(knowsTerms: boolean, limit: number) {
  const scene = new Scene({ limit, presenceMs: 1_000 });
  const clients = ['a', 'b'].map((id) => scene.client(id));
  const records: string[] = [];
  const counts = { ...noCounts };
  const { evalsha } = scene.connection;
  scene.connection.evalsha = async (...call) => {
    const reply = await evalsha(...call);
    counts[wayOf(reply)]++;
    return reply;
  };
  const ear = scene.redis.duplicate();
  await ear.psubscribe(`${scene.prefix}:*`);
  const messages: string[] = [];
  ear.on('pmessage', (_pattern, channel: string, text: string) => {
    messages.push(`${channel.slice(scene.prefix.length)} ${text}`);
  });
  return {
    scene,
    counts,
    /** Every message so far. */
    async told(): Promise<readonly string[]> {
      await scene.redis.publish(`${scene.prefix}:end`, 'end');
      await expect.poll(() => messages.at(-1), { interval: 1, timeout: 10_000 }).toBe(':end end');
      return messages;
    },
    async take({ client, call, advanceMs = 1, loses }: Step): Promise<unknown> {
      scene.advance(advanceMs);
      if (loses !== undefined) await scene.lose(loses);
      const caller = clients[client] as Client;
      if (!knowsTerms) for (const one of clients) one.terms = 0;
      const reply = await call?.(caller, records);
      const isForgotten = [reply].flat().some((one) => (one as { kind?: string })?.kind === 'forgotten');
      const restored = isForgotten ? await caller.raw.restore({ windowMs: 30 }) : undefined;
      const { ttlMs, ...keys } = await scene.keys();
      const areKept = Object.values(ttlMs).every((ms) => ms !== -1);
      return { reply, restored, keys, areKept };
    },
    async close() {
      ear.disconnect();
      await scene.connection.close();
      await scene.lose();
    },
  };
}

describe('a call that goes straight on', () => {
  test('answers and leaves what the whole script would, whatever came before', {
    timeout: 120_000,
  }, async () => {
    const sum = { ...noCounts };
    const limits = fc.constantFrom(1, 2, 3, 8);
    await fc.assert(
      fc.asyncProperty(limits, steps, async (limit, taken) => {
        const [straight, whole] = await Promise.all([openSide(true, limit), openSide(false, limit)]);
        try {
          for (const step of taken) {
            const [answered, expected] = await Promise.all([straight.take(step), whole.take(step)]);
            expect(answered, step.tells).toEqual(expected);
          }
          expect(await straight.told()).toEqual(await whole.told());
        } finally {
          await straight.close();
          await whole.close();
        }
        expect(whole.counts).toEqual({ ...noCounts, whole: whole.counts.whole });
        for (const way of Object.keys(sum) as (keyof typeof sum)[]) sum[way] += straight.counts[way];
      }),
      { numRuns: Number(process.env['MODEL_RUNS'] ?? 100) },
    );
    // Else it would compare the whole script with itself.
    expect(Math.min(sum.done, sum.queued, sum.handedOff)).toBeGreaterThan(20);
  });

  const asks = (client: number, options: RequestOptions = {}, count = 1): Step => ({
    client,
    call: (asker, records) => {
      const requests = asker.requests(count, options);
      records.push(...requests.map(({ record }) => record));
      return asker.raw.acquire(requests, 'settled');
    },
    tells: '',
  });
  /** Releases what this client asked for first; or nothing, which is a sign of life. */
  const returns = (client: number, count = 1): Step => ({
    client,
    call: (owner, records) => {
      const oldest = records.filter((record) => record.startsWith(`${owner.id}/`)).slice(0, count);
      records.splice(0, records.length, ...records.filter((record) => !oldest.includes(record)));
      return owner.raw.release(oldest);
    },
    tells: '',
  });
  const [held, short, waits, giveBack] = [asks(0), asks(0, { leaseMs: 100 }), asks(1), returns(0)];
  const heavy = asks(0, { weight: 2 });
  const sees: Step = {
    client: 0,
    call: async (asker) => {
      asker.seen += 5_000_000; // as after a failover to a replica that lacks what it was told
    },
    tells: '',
  };
  /** The so many-th request once more, and as many new ones with it. */
  const again = (client: number, which: number, fresh: number): Step => ({
    client,
    call: (asker, records) => {
      const request = asker.request();
      const record = records[which] as string;
      return asker.raw.acquire([{ ...request, record }, ...asker.requests(fresh)], 'settled');
    },
    tells: '',
  });
  /** The other client sets the limit, and so the terms. */
  const resizes = (limit: number): Step => ({
    client: 1,
    call: (caller) => caller.raw.resize(limit),
    tells: '',
  });
  /** The other client takes away the so many-th. */
  const revokes = (which: number): Step => ({
    client: 1,
    call: (caller, records) => caller.raw.revoke(records[which] as string, 1_000),
    tells: '',
  });
  const pass = (advanceMs: number): Step => ({ client: 0, advanceMs, tells: '' });
  const loses = (key: keyof SemaphoreKeys): Step => ({ ...pass(1), loses: key });
  /** The first client is heard so often that there is no silence, until the other one, if it waits, is absent. */
  const onlyAIsHeard = [returns(0, 0), pass(400), returns(0, 0), pass(400), returns(0, 0), pass(400)];

  test.each<[what: string, limit: number, steps: readonly Step[]]>([
    ['an acquire after the clock was set back', 8, [held, held, pass(20), giveBack, pass(-4), held]],
    ['a release after the clock was set back', 8, [held, pass(20), held, pass(-4), giveBack]],
    ['an acquire after a silence', 8, [held, pass(501), held]],
    ['a release after a silence', 8, [held, pass(501), giveBack]],
    ['an acquire after a lease has ended', 8, [held, short, pass(99), held]],
    ['a release after its lease has ended', 8, [held, short, pass(99), giveBack]],
    ['an acquire when the permits are lost', 8, [held, loses('permits'), held]],
    ['a release when the permits are lost', 8, [held, loses('permits'), giveBack]],
    ['an acquire by who has seen higher numbers', 8, [held, sees, held]],
    ['a release by who has seen higher numbers', 8, [held, sees, giveBack, held]],
    ['the first permit after the last was given back', 8, [held, giveBack, held]],
    ['two acquires within a microsecond', 8, [held, waits, { ...held, advanceMs: 0 }]],
    ['a request that comes twice', 8, [held, held, again(0, 1, 1), held]],

    ['an acquire by who knows other terms', 8, [held, resizes(9), held]],
    ['a release by who knows other terms', 8, [held, resizes(9), giveBack]],
    ['a request behind a line by who knows other terms', 1, [held, waits, resizes(1), held]],
    ['a hand-off by who knows other terms', 1, [held, waits, resizes(1), giveBack]],
    ['calls while the semaphore is closed', 8, [held, loses('permits'), held, held, giveBack, held]],
    ['the second in line', 1, [held, waits, held, waits]],
    ['many that go to the end of the line', 1, [held, waits, asks(0, {}, 3), asks(1, {}, 2)]],
    ['a try behind a line', 1, [held, waits, asks(0, { maxWaiting: 0 })]],
    ['one that may stand behind one other', 1, [held, waits, asks(0, { maxWaiting: 1 })]],
    ['a request heavier than the limit, behind a line', 2, [held, held, waits, asks(0, { weight: 3 })]],
    ['a request behind a heavy one', 2, [held, asks(1, { weight: 2 }), held]],
    ['a request behind a heavy one that is gone', 2, [held, asks(1, { weight: 2 }), ...onlyAIsHeard, held]],
    ['a request behind a line when the permits are lost', 1, [held, waits, loses('permits'), held]],
    ['a request behind a line when the line is lost', 1, [held, waits, loses('waiters'), held]],
    ['a request behind a line when the clients are lost', 1, [held, waits, loses('clients'), held]],
    ['one that comes twice and waits', 1, [held, waits, waits, again(1, 2, 0), again(1, 1, 1)]],
    ['one that comes twice and was granted meanwhile', 1, [held, waits, waits, giveBack, again(1, 0, 0)]],
    ['who has seen higher numbers and waits', 1, [held, waits, sees, held]],
    ['two who wait within a microsecond', 1, [held, asks(1, {}, 3), { ...held, advanceMs: 0 }]],
    ['one who waits until the other is absent', 1, [held, waits, held, ...onlyAIsHeard, waits, giveBack]],

    ['a hand-off to the last in line', 1, [held, waits, waits, giveBack, returns(1), held, returns(1), held]],
    ['a hand-off of two units', 2, [held, held, asks(1, {}, 2), waits, returns(0, 2)]],
    ['a hand-off to two clients', 2, [held, held, waits, asks(0, {}, 2), returns(0, 2)]],
    ['a hand-off to the caller', 1, [held, held, giveBack, giveBack]],
    ['a hand-off to a caller who was absent', 1, [waits, waits, ...onlyAIsHeard, returns(1)]],
    ['a hand-off before one who is gone', 2, [heavy, heavy, waits, ...onlyAIsHeard, giveBack]],
    ['a hand-off to one who is gone', 1, [held, waits, ...onlyAIsHeard, giveBack]],
    ['a hand-off that leaves units', 3, [asks(0, { weight: 3 }), waits, giveBack, held, held]],
    ['a hand-off of too few units', 2, [held, held, asks(1, { weight: 2 }), giveBack, giveBack]],
    [
      'a hand-off to a light one and a heavy one',
      3,
      [held, held, held, waits, asks(1, { weight: 2 }), returns(0, 2)],
    ],
    ['a lease longer than a presence', 1, [held, waits, pass(300), giveBack]],
    ['a hand-off after a silence', 1, [held, waits, pass(501), giveBack]],
    ['a hand-off in the grace after one', 1, [held, waits, pass(501), returns(0, 0), pass(300), giveBack]],
    ['a lease that nobody renews', 1, [held, asks(1, { firm: true, leaseMs: 9_000 }), waits, giveBack]],
    ['a short lease, and its end', 1, [held, asks(1, { leaseMs: 50 }), held, giveBack, pass(49), held]],
    ['a hand-off when the line is lost', 1, [held, waits, loses('waiters'), giveBack]],
    ['a hand-off when the clients are lost', 1, [held, waits, loses('clients'), giveBack]],
    ['a hand-off to the caller when the clients are lost', 1, [held, held, loses('clients'), giveBack]],
    ['a hand-off when the permits are lost', 1, [held, waits, loses('permits'), giveBack]],
    ['a hand-off by who has seen higher numbers', 1, [held, waits, sees, giveBack]],
    ['a hand-off within a microsecond', 1, [held, waits, held, { ...giveBack, advanceMs: 0 }]],
    ['a request that was revoked and comes again', 8, [held, held, revokes(0), again(0, 0, 0)]],
    ['a release of what was revoked', 8, [held, held, revokes(0), giveBack]],
    [
      'calls when the clock was set back and has caught up',
      8,
      [held, pass(-4), held, pass(20), held, giveBack],
    ],
    ['one who leaves the line', 1, [held, waits, returns(1), held]],
  ])('does so for %s', async (_what, limit, taken) => {
    const [straight, whole] = await Promise.all([openSide(true, limit), openSide(false, limit)]);
    try {
      for (const step of taken) {
        expect(await straight.take(step)).toEqual(await whole.take(step));
      }
      expect(await straight.told()).toEqual(await whole.told());
    } finally {
      await straight.close();
      await whole.close();
    }
  });
});
