import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Client, Scene } from './support.ts';

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
  /** Before the call, Redis loses the permits. */
  readonly loses?: boolean;
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
    isTry: fc.constantFrom(true, true, true, true, false),
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

const passings = fc
  .constantFrom(0.4, 1, 20, 300, 499, 500, 501, 600, 1_100, 6_000, -0.4, -3)
  .map((advanceMs): Step => ({ client: 0, advanceMs, tells: `${advanceMs} ms pass` }));
const losses = fc.constant<Step>({ client: 0, loses: true, tells: 'the permits are lost' });

const steps = fc.array(
  fc.oneof(
    { arbitrary: acquires, weight: 20 },
    { arbitrary: releases, weight: 20 },
    { arbitrary: others, weight: 3 },
    { arbitrary: passings, weight: 6 },
    { arbitrary: losses, weight: 1 },
  ),
  { minLength: 10, maxLength: 30, size: 'max' },
);

/** One semaphore with two clients, and how many calls went straight on. */
function side(knowsTerms: boolean) {
  const scene = new Scene({ limit: 8, presenceMs: 1_000 });
  const clients = ['a', 'b'].map((id) => scene.client(id));
  const records: string[] = [];
  const counts = { straight: 0, whole: 0 };
  const { evalsha } = scene.connection;
  scene.connection.evalsha = async (...call) => {
    const reply = await evalsha(...call);
    counts[typeof reply === 'number' ? 'straight' : 'whole']++;
    return reply;
  };
  return {
    scene,
    counts,
    async take({ client, call, advanceMs = 1, loses = false }: Step): Promise<unknown> {
      scene.advance(advanceMs);
      if (loses) await scene.lose('permits');
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
      await scene.connection.close();
      await scene.lose();
    },
  };
}

describe('a call that goes straight on', () => {
  test('answers and leaves what the whole script would, whatever came before', {
    timeout: 120_000,
  }, async () => {
    const sum = { straight: 0, whole: 0 };
    await fc.assert(
      fc.asyncProperty(steps, async (taken) => {
        const [straight, whole] = [side(true), side(false)];
        try {
          for (const step of taken) {
            const [answered, expected] = await Promise.all([straight.take(step), whole.take(step)]);
            expect(answered, step.tells).toEqual(expected);
          }
        } finally {
          await straight.close();
          await whole.close();
        }
        expect(whole.counts.straight).toBe(0);
        sum.straight += straight.counts.straight;
        sum.whole += straight.counts.whole;
      }),
      { numRuns: Number(process.env['MODEL_RUNS'] ?? 40) },
    );
    // Else it would compare the whole script with itself.
    expect(sum.straight / (sum.straight + sum.whole)).toBeGreaterThan(0.1);
  });

  const acquire = (leaseMs = 30_000): Step => ({
    client: 0,
    call: async (asker, records) => {
      const request = asker.request({ leaseMs });
      records.push(request.record);
      return asker.raw.acquire([request], 'settled');
    },
    tells: '',
  });
  const [held, short] = [acquire(), acquire(100)];
  const giveBack: Step = {
    client: 0,
    call: (owner, records) => owner.raw.release(records.splice(-1)),
    tells: '',
  };
  const sees: Step = {
    client: 0,
    call: async (asker) => {
      asker.seen += 5_000_000; // as after a failover to a replica that lacks what it was told
    },
    tells: '',
  };
  /** The last request once more, and a new one with it. */
  const again: Step = {
    client: 0,
    call: (asker, records) => {
      const [fresh, record] = [asker.request(), records.at(-1) as string];
      return asker.raw.acquire([{ ...fresh, record }, fresh], 'settled');
    },
    tells: '',
  };
  const pass = (advanceMs: number): Step => ({ client: 0, advanceMs, tells: '' });

  test.each([
    ['an acquire after the clock was set back', [held, held, pass(20), giveBack, pass(-4), held]],
    ['a release after the clock was set back', [held, pass(20), held, pass(-4), giveBack]],
    ['an acquire after a silence', [held, pass(501), held]],
    ['a release after a silence', [held, pass(501), giveBack]],
    ['an acquire after a lease has ended', [held, short, pass(99), held]],
    ['a release after its lease has ended', [held, short, pass(99), giveBack]],
    ['an acquire when the permits are lost', [held, { ...pass(1), loses: true }, held]],
    ['a release when the permits are lost', [held, { ...pass(1), loses: true }, giveBack]],
    ['an acquire by who has seen higher numbers', [held, sees, held]],
    ['a release by who has seen higher numbers', [held, sees, giveBack, held]],
    ['the first permit after the last was given back', [held, giveBack, held]],
    ['two acquires within a microsecond', [held, { ...held, client: 1 }, { ...held, advanceMs: 0 }]],
    ['a request that comes twice', [held, held, again, held]],
  ])('does so for %s', async (_what, taken) => {
    const [straight, whole] = [side(true), side(false)];
    try {
      for (const step of taken) {
        expect(await straight.take(step)).toEqual(await whole.take(step));
      }
    } finally {
      await straight.close();
      await whole.close();
    }
  });
});
