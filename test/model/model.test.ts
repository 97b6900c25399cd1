import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecord } from '../../src/redis/keys.ts';
import { type Client, Scene } from '../lua/support.ts';
import { type Claim, Oracle } from './oracle.ts';

/*
 * Random sequences of calls by three clients, on the real scripts and a real server, beside the oracle. After every call
 * the reply, the permits with their expiries and the line in its order must be the oracle's, and what must hold after
 * every script (test/lua/invariants.ts) is checked by the scene. The clock is the test's, so leases and presences end
 * without waiting.
 */

interface Real {
  readonly scene: Scene;
  readonly clients: readonly Client[];
  /** Every record that was ever asked for, in order: what to release, renew or look at is drawn from here. */
  readonly records: { readonly record: string; readonly client: number }[];
}

type Step = fc.AsyncCommand<Oracle, Real>;

async function expectSame(model: Oracle, { scene }: Real): Promise<void> {
  const keys = await scene.keys();
  const permits = Object.fromEntries(
    [...model.permits].map(([record, { expiresAtMs }]) => [record, expiresAtMs]),
  );
  expect(keys.permits).toEqual(permits);
  expect(keys.waiters).toEqual(model.line.map(({ record }) => record));
  expect(keys.state['held'] ?? 0).toBe(model.held);
}

function step(name: string, run: (model: Oracle, real: Real) => Promise<void>): Step {
  return {
    check: () => true,
    run: async (model, real) => {
      await run(model, real);
      await expectSame(model, real);
    },
    toString: () => name,
  };
}

/** Of all that was asked for, one: of the latest mostly, since the oldest is long gone. */
function pick({ records }: Real, draw: number) {
  return records.length === 0 ? undefined : records[Math.max(0, records.length - 1 - (draw % 8))];
}

const clientNo = fc.nat({ max: 2 });
const draw = fc.nat({ max: 7 });

const acquires = fc
  .tuple(
    clientNo,
    fc.array(
      fc.record({
        weight: fc.integer({ min: 1, max: 4 }),
        firm: fc.boolean(),
        leaseMs: fc.constantFrom(500, 2_000, 30_000),
        maxWaiting: fc.constantFrom(-1, -1, -1, 0, 2),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  )
  .map(([no, wanted]) =>
    step(`client ${no} acquires ${JSON.stringify(wanted)}`, async (model, real) => {
      const client = real.clients[no] as Client;
      const requests = wanted.map((options) => client.request(options));
      const claims = requests.map((request, i): { claim: Claim; maxWaiting: number } => ({
        claim: {
          record: request.record,
          client: client.id,
          weight: request.weight,
          leaseMs: request.leaseMs,
          handOffLeaseMs: readRecord(request.record)?.leaseMs ?? 0,
          firm: wanted[i]?.firm ?? false,
        },
        maxWaiting: request.maxWaiting,
      }));
      const expected = model.acquire(client.id, claims);
      const first = await client.acquire(requests, 'settled');
      expect(first.answers.map(({ kind }) => kind)).toEqual(expected);
      real.records.push(...requests.map(({ record }) => ({ record, client: no })));
      // The same call once more, as a connection that broke would send it: nothing changes.
      const asked = claims.filter((_claim, i) => ['granted', 'queued'].includes(expected[i] as string));
      if (asked.length === claims.length) {
        const again = await client.acquire(requests, 'settled');
        expect(again.answers.map(({ kind }) => kind)).toEqual(model.acquire(client.id, claims));
      }
    }),
  );

const releases = fc.tuple(draw, fc.boolean()).map(([which, byOwner]) =>
  step(`releases the ${which}th last${byOwner ? '' : ', which is not its own'}`, async (model, real) => {
    const chosen = pick(real, which);
    if (chosen !== undefined) {
      const client = real.clients[byOwner ? chosen.client : (chosen.client + 1) % 3] as Client;
      const expected = model.release(client.id, chosen.record);
      expect((await client.release(chosen.record)).answers).toEqual([expected]);
    }
  }),
);

const renewals = fc.tuple(draw, fc.constantFrom(500, 3_000, 30_000)).map(([which, leaseMs]) =>
  step(`renews the ${which}th last for ${leaseMs} ms`, async (model, real) => {
    const chosen = pick(real, which);
    if (chosen !== undefined) {
      const client = real.clients[chosen.client] as Client;
      const expected = model.renew(client.id, chosen.record, leaseMs);
      const { answers } = await client.renew(chosen.record, leaseMs);
      expect(answers[0] === 'revoked' ? 'revoked' : (answers[0] as number) > 0).toBe(expected);
    }
  }),
);

const beats = fc.tuple(draw, fc.boolean()).map(([which, waiting]) =>
  step(`looks at the ${which}th last${waiting ? ', waiting' : ''}`, async (model, real) => {
    const chosen = pick(real, which);
    if (chosen !== undefined) {
      const client = real.clients[chosen.client] as Client;
      const expected = model.beat(client.id, waiting, chosen.record);
      expect((await client.beat([chosen.record], waiting)).answers.map(({ kind }) => kind)).toEqual([
        expected,
      ]);
    }
  }),
);

const resizes = fc.integer({ min: 0, max: 6 }).map((limit) =>
  step(`resizes to ${limit}`, async (model, real) => {
    const client = real.clients[0] as Client;
    model.resize(client.id, limit);
    await client.resize(limit);
  }),
);

const revocations = fc.tuple(draw, clientNo, fc.constantFrom(1_000, 60_000)).map(([which, no, memoryMs]) =>
  step(`client ${no} revokes the ${which}th last`, async (model, real) => {
    const chosen = pick(real, which);
    if (chosen !== undefined) {
      const client = real.clients[no] as Client;
      const expected = model.revoke(client.id, chosen.record, memoryMs);
      expect((await client.revoke(chosen.record, memoryMs)).answers).toEqual([expected]);
    }
  }),
);

const passings = fc.constantFrom(1, 200, 1_000, 3_000, 6_000, 11_000, 31_000).map((ms) => ({
  check: () => true,
  run: async (model: Oracle, { scene }: Real) => {
    scene.advance(ms);
    model.nowMs = scene.nowMs;
  },
  toString: () => `${ms} ms pass`,
}));

describe('the scripts and the oracle', () => {
  it('agree on every reply, permit, expiry and place in line, whatever three clients do', {
    timeout: 120_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.commands(
          [acquires, acquires, releases, releases, renewals, beats, resizes, revocations, passings, passings],
          {
            maxCommands: 80,
            size: 'max',
          },
        ),
        async (commands) => {
          const scene = new Scene({ limit: 3, presenceMs: 10_000 });
          const clients = ['a', 'b', 'c'].map((id) => scene.client(id));
          const model = new Oracle(3, 10_000, scene.nowMs);
          try {
            await fc.asyncModelRun(() => ({ model, real: { scene, clients, records: [] } }), commands);
          } finally {
            await scene.connection.close();
            await scene.lose();
          }
        },
      ),
      { numRuns: Number(process.env['MODEL_RUNS'] ?? 200) },
    );
  });
});
