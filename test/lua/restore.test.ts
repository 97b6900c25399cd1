import { describe, expect, test } from 'vitest';
import { type Client, openScene, type Scene, type Taken } from './support.ts';

const windowMs = 5_000;

const place = ({ record, ticket }: Taken & { kind: 'queued' }) => ({ record, ticket });

/** Every script but restore, by a client that knows the semaphore's past. */
async function everyScript(client: Client) {
  return [
    await client.raw.acquire([client.request()]),
    await client.raw.release(['a/1/1/30000']),
    await client.raw.renew([{ record: 'a/1/1/30000', leaseMs: 30_000 }]),
    await client.raw.beat(true, ['a/1/1/30000']),
    await client.raw.resize(9),
    await client.raw.gain('a/99/0/0', 60_000),
  ];
}

/** a holds the one permit, b and c wait; then everything is lost. */
async function lostScene() {
  const scene = openScene();
  const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
  const held = await a.hold();
  const [first, second] = [await b.queue(), await c.queue()];
  scene.advance(1_000);
  await scene.lose();
  return { scene, a, b, c, held, first, second };
}

describe('after a loss of all data', () => {
  test('every script answers forgotten to a client that knew it, and changes nothing', async () => {
    const { scene, a } = await lostScene();

    for (const reply of await everyScript(a)) {
      expect(reply).toEqual({ kind: 'forgotten', nowMs: scene.clock.nowUs / 1000 });
    }
    await scene.expectKeys({});
  });

  test('the first restorer begins a new epoch, closed for the window, with what it held and waited for', async () => {
    const { scene, a, held } = await lostScene();
    const known = a.caller();
    const waiting = { record: 'a/2/1/30000', ticket: known.seen + 5 };

    const reply = await a.restore({
      windowMs,
      permits: [{ record: held.record, remainingMs: 29_000 }],
      waiters: [waiting],
    });

    expect(reply.answers).toEqual([scene.nowMs + 29_000]);
    expect(reply.epoch).toBeGreaterThan(known.seen);
    expect(reply.grants).toEqual([]);
    await scene.expectKeys({
      permits: { [held.record]: scene.nowMs + 29_000 },
      waiters: [waiting.record],
      clients: { a: scene.nowMs + 10_000 },
      state: {
        epoch: reply.epoch,
        limit: 1,
        declared: 1,
        held: 1,
        openAtMs: scene.nowMs + windowMs,
        seq: reply.epoch,
        retentionMs: 86_400_000,
      },
    });
    expect((await scene.keys()).tickets).toEqual({ [waiting.record]: waiting.ticket });
  });

  test('a restorer that only held is not marked as waiting', async () => {
    const { scene, a, held } = await lostScene();

    const { lookAtMs } = await a.restore({ permits: [{ record: held.record, remainingMs: 9_000 }] });

    expect(lookAtMs).toBe(0);
    expect((await scene.keys()).clients).toEqual({});
  });

  test('one that had nothing makes the loss known all the same', async () => {
    const { scene, a, b } = await lostScene();
    const known = b.caller();
    await a.restore({ windowMs });

    await scene.expectKeys({ state: { held: 0, openAtMs: scene.nowMs + windowMs } });
    expect((await scene.keys()).state['epoch']).toBeGreaterThan(known.epoch);
    expect(await b.raw.beat(false, [])).toMatchObject({ kind: 'forgotten' });
  });

  test('the limit in force comes back, and the limit declared', async () => {
    const { scene, a } = await lostScene();
    await a.restore({ limit: 4 });

    expect((await scene.keys()).state).toMatchObject({ limit: 4, declared: 1 });
  });

  test('a bounded handle is known again', async () => {
    const scene = openScene();
    const a = scene.client('a', { bounded: true });
    await a.hold();
    await scene.lose();
    await a.restore();

    expect((await scene.keys()).state['bounded']).toBe(1);
    expect((await a.gain('a/7/0/0')).answers).toEqual([false]);
  });

  test('numbers rise above all that the restorer has seen, although the server clock is far behind', async () => {
    const scene = openScene();
    const a = scene.client('a');
    a.seen = scene.clock.nowUs + 7_000_000_000;
    const held = await a.hold();
    await scene.lose();
    const { seen } = a;
    expect(held.token).toBe(seen);

    const { epoch } = await a.restore();

    expect(epoch).toBe(seen + 1);
  });

  test('a second restorer joins the epoch and does not keep it closed for longer', async () => {
    const { scene, a, b, held, first } = await lostScene();
    const { epoch } = await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 29_000 }] });
    const openAtMs = scene.nowMs + windowMs;
    scene.advance(2_000);

    const reply = await b.restore({ windowMs, waiters: [place(first)] });

    expect(reply).toMatchObject({ epoch, answers: [], lookAtMs: openAtMs });
    await scene.expectKeys({
      permits: { [held.record]: scene.nowMs + 27_000 },
      waiters: [first.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { epoch, openAtMs, held: 1 },
    });
  });

  test('a restorer that comes after the window joins too, and does not close it again', async () => {
    const { scene, a, b, first } = await lostScene();
    const { epoch } = await a.restore({ windowMs });
    scene.advance(windowMs + 1_000);

    const reply = await b.restore({ windowMs, waiters: [place(first)] });

    expect(reply.epoch).toBe(epoch);
    expect(reply.grants).toMatchObject([{ record: first.record, expiresAtMs: scene.nowMs + 10_000 }]);
    await scene.expectKeys({
      permits: { [first.record]: scene.nowMs + 10_000 },
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 1, openAtMs: scene.nowMs - 1_000 },
    });
  });

  test('everyone who has not restored yet is told forgotten, also in the new epoch', async () => {
    const { a, b } = await lostScene();
    await a.restore();

    for (const reply of await everyScript(b)) {
      expect(reply).toMatchObject({ kind: 'forgotten' });
    }
  });
});

describe('the closed window', () => {
  test('grants nothing before it ends, whoever asks and whatever is free', async () => {
    const { scene, a, b, first } = await lostScene();
    await a.restore({ windowMs, limit: 3 });
    await b.restore({ windowMs, waiters: [place(first)] });
    const newcomer = scene.client('new', { limit: 1 });
    scene.advance(windowMs - 1);

    expect(await newcomer.attempt()).toMatchObject({ kind: 'full', waiting: 1 });
    const late = await newcomer.queue();
    expect(await b.beat([first.record])).toMatchObject({ grants: [], answers: [{ kind: 'queued' }] });
    await a.release('a/9/1/30000');
    await a.resize(4);

    expect(late.ticket).toBeGreaterThan(first.ticket);
    await scene.expectKeys({
      waiters: [first.record, late.record],
      clients: { b: scene.nowMs + 10_000, new: scene.nowMs + 10_000 },
      state: { held: 0, limit: 4 },
    });
  });

  test('refuses a try although nobody waits', async () => {
    const { a, scene } = await lostScene();
    await a.restore({ windowMs });
    expect(await scene.client('new').attempt()).toMatchObject({ kind: 'full', waiting: 0 });
  });

  test('ends at its time: the next script serves the line', async () => {
    const { scene, a, b, first } = await lostScene();
    await a.restore({ windowMs });
    await b.restore({ windowMs, waiters: [place(first)] });
    scene.advance(windowMs);

    await a.beat();

    await scene.expectKeys({
      permits: { [first.record]: scene.nowMs + 5_000 },
      clients: { b: scene.nowMs + 5_000 },
      state: { held: 1 },
    });
  });

  test('tells the head of the line to look again when it ends', async () => {
    const { scene, a, b, c, held, first, second } = await lostScene();
    await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 1_000 }] });
    const openAtMs = scene.nowMs + windowMs;

    expect((await b.restore({ waiters: [place(first)] })).lookAtMs).toBe(openAtMs);
    expect((await c.restore({ waiters: [place(second)] })).lookAtMs).toBe(0);
    scene.advance(100);
    expect((await b.beat([first.record])).lookAtMs).toBe(openAtMs);
    expect((await c.beat([second.record])).lookAtMs).toBe(0);
  });

  test('lets holders renew and release', async () => {
    const { scene, a, held } = await lostScene();
    await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 29_000 }] });

    expect((await a.renew(held.record)).answers).toEqual([scene.nowMs + 30_000]);
    expect((await a.release(held.record)).answers).toEqual([true]);
    await scene.expectKeys({ state: { held: 0 } });
  });

  test('ends restored leases that run out in it', async () => {
    const { scene, a, held } = await lostScene();
    await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 1_000 }] });
    scene.advance(1_000);

    expect((await a.renew(held.record)).answers).toEqual([0]);
    await scene.expectKeys({ state: { held: 0 } });
  });
});

describe('the line after a loss', () => {
  test.each([
    ['in their order', [0, 1, 2]],
    ['backwards', [2, 1, 0]],
    ['the second first', [1, 0, 2]],
    ['the last first', [2, 0, 1]],
  ])('keeps its order by the original tickets, when its clients come %s', async (_how, order) => {
    const scene = openScene();
    const a = scene.client('a');
    const others = ['x', 'y', 'z'].map((id) => scene.client(id));
    await a.hold();
    const before: (Taken & { kind: 'queued' })[] = [];
    for (const client of [...others, ...others]) before.push(await client.queue());
    await scene.lose();

    for (const i of order) {
      const own = [before[i], before[i + 3]] as (Taken & { kind: 'queued' })[];
      await others[i]?.restore({ waiters: own.map(place) });
    }

    const { waiters, tickets } = await scene.keys();
    expect(waiters).toEqual(before.map(({ record }) => record));
    expect(tickets).toEqual(Object.fromEntries(before.map(({ record, ticket }) => [record, ticket])));
  });

  test('is served in that order when the window ends, and newcomers come last', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ weight: 2 });
    const [first, second] = [await b.queue(), await c.queue()];
    await scene.lose();
    const newcomer = scene.client('new');

    await c.restore({ windowMs, waiters: [place(second)] });
    const last = await newcomer.queue();
    await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 1_000 }] });
    await b.restore({ windowMs, waiters: [place(first)] });
    scene.advance(windowMs);
    await a.beat();

    await scene.expectKeys({
      permits: { [first.record]: scene.nowMs + 5_000, [second.record]: scene.nowMs + 5_000 },
      waiters: [last.record],
      clients: { b: scene.nowMs + 5_000, c: scene.nowMs + 5_000, new: scene.nowMs + 5_000 },
      state: { held: 2 },
    });
  });

  test('stays in order with those who queued before the first restorer came', async () => {
    const { scene, b, first } = await lostScene();
    const newcomer = scene.client('new', { limit: 0 });
    const late = await newcomer.queue();

    await b.restore({ waiters: [place(first)] });

    expect((await scene.keys()).waiters).toEqual([first.record, late.record]);
  });
});

describe('a restore that comes twice', () => {
  test('is done once: one epoch, one permit with its first expiry, one place', async () => {
    const { scene, a, held } = await lostScene();
    const known = a.caller();
    const what = {
      windowMs,
      permits: [{ record: held.record, remainingMs: 29_000 }],
      waiters: [{ record: 'a/2/1/30000', ticket: held.token + 9 }],
    };
    const first = await a.restore(what);
    const { state, ttlMs: _, ...once } = await scene.keys();
    scene.advance(500);
    Object.assign(a, known); // the copy says what the first said

    const second = await a.restore(what);

    expect(second.epoch).toBe(first.epoch);
    expect(second.answers).toEqual(first.answers);
    const { state: stateNow, permits, waiters, tickets } = await scene.keys();
    expect({ permits, waiters, tickets }).toEqual({
      permits: once.permits,
      waiters: once.waiters,
      tickets: once.tickets,
    });
    expect(stateNow).toEqual({ ...state, lastMs: scene.nowMs, freshAtMs: scene.nowMs, seq: stateNow['seq'] });
  });

  test('does not queue again what was granted in between', async () => {
    const { scene, b, first } = await lostScene();
    const known = b.caller();
    await b.restore({ windowMs, waiters: [place(first)] });
    scene.advance(windowMs);
    await b.beat();
    Object.assign(b, known);

    await b.restore({ windowMs, waiters: [place(first)] });

    expect(await scene.keys()).toMatchObject({ waiters: [], state: { held: 1 } });
  });
});

describe('permits that are restored', () => {
  test('are held although that exceeds the limit, and nothing is granted until they have drained', async () => {
    const scene = openScene({ limit: 1 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    scene.advance(1_000);
    await scene.lose();
    const newcomer = scene.client('new');
    const stolen = await newcomer.hold(); // before the first restorer came
    const waiting = await newcomer.queue();

    await a.restore({ windowMs: 1_000, permits: [{ record: held.record, remainingMs: 29_000 }] });
    scene.advance(1_000);
    expect(await b.attempt()).toMatchObject({ kind: 'full', waiting: 1 });
    expect((await scene.keys()).state).toMatchObject({ held: 2, limit: 1 });

    await a.release(held.record);
    expect(await scene.keys()).toMatchObject({ waiters: [waiting.record], state: { held: 1 } });
    await newcomer.release(stolen.record);
    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 10_000 },
      clients: { new: scene.nowMs + 9_000 },
      state: { held: 1 },
    });
  });

  test('weigh what they weigh', async () => {
    const scene = openScene({ limit: 5 });
    const a = scene.client('a');
    const held = await a.hold({ weight: 3 });
    await scene.lose();
    await a.restore({ permits: [{ record: held.record, remainingMs: 9_000 }] });

    expect((await scene.keys()).state['held']).toBe(3);
  });

  test('are not kept beyond the line: a record that an old copy of the data has waiting only holds', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ weight: 2 });
    const waiting = await b.queue();
    const stale = await scene.snapshot();
    await a.release(held.record); // and b's is granted, which a stale replica never heard of
    await scene.rollBack(stale);

    await b.restore({ windowMs, permits: [{ record: waiting.record, remainingMs: 9_000 }] });
    await a.restore({ windowMs });
    scene.advance(windowMs);
    await a.release(held.record);
    expect((await scene.keys()).state['held']).toBe(1);
    await b.release(waiting.record);

    expect(await scene.keys()).toMatchObject({ permits: {}, waiters: [], state: { held: 0 } });
  });

  test('keep the keys for as long as the longest lease that was put back', async () => {
    const scene = openScene({ retentionMs: 60_000 });
    const a = scene.client('a');
    const held = await a.hold({ leaseMs: 3_600_000 });
    await scene.lose();

    await a.restore({ permits: [{ record: held.record, remainingMs: 3_000_000 }] });

    expect((await scene.keys()).ttlMs.permits).toBeGreaterThan(2_900_000);
  });
});

describe('waiters that are restored', () => {
  test('keep the keys for as long as the lease that their hand-off will give', async () => {
    const scene = openScene({ retentionMs: 60_000 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    const waiting = await b.queue({ leaseMs: 3_600_000, firm: true });
    scene.advance(1_000);
    await scene.lose();

    await b.restore({ windowMs, waiters: [place(waiting)] });
    scene.advance(windowMs);
    await scene.client('new').beat();

    expect((await scene.keys()).permits).toEqual({ [waiting.record]: scene.nowMs + 3_600_000 });
    expect((await scene.keys()).ttlMs.permits).toBeGreaterThan(3_500_000);
  });
});

describe('what a restorer finds', () => {
  test('an epoch that a newcomer opened is closed, once, and joined', async () => {
    const { scene, a, b, held, first } = await lostScene();
    const newcomer = scene.client('new', { limit: 2 });
    const stolen = await newcomer.hold();

    const reply = await a.restore({
      windowMs,
      limit: 3,
      permits: [{ record: held.record, remainingMs: 29_000 }],
    });
    expect(reply).toMatchObject({ epoch: newcomer.epoch, limit: 3 });
    const openAtMs = scene.nowMs + windowMs;
    scene.advance(1_000);
    await b.restore({ windowMs, waiters: [place(first)] });

    await scene.expectKeys({
      permits: { [held.record]: scene.nowMs + 28_000, [stolen.record]: stolen.expiresAtMs },
      waiters: [first.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { epoch: newcomer.epoch, openAtMs, held: 2, limit: 3, declared: 1 },
    });
    // The newcomer did not lose anything, and goes on.
    expect((await newcomer.renew(stolen.record)).answers).toEqual([scene.nowMs + 30_000]);
  });

  test('an epoch that it knows already is not the one that it can go on with: a new one begins', async () => {
    const scene = openScene({ limit: 4 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const [lost, kept] = [await a.hold(), await b.hold({ weight: 2 })];
    await scene.redis.zrem(scene.names.permits, lost.record);
    const { epoch } = a;

    const reply = await a.restore({ windowMs, permits: [{ record: lost.record, remainingMs: 9_000 }] });

    expect(reply.epoch).toBeGreaterThan(epoch);
    await scene.expectKeys({
      permits: { [lost.record]: scene.nowMs + 9_000, [kept.record]: kept.expiresAtMs },
      state: { held: 3, openAtMs: scene.nowMs + windowMs },
    });
    expect(await b.raw.beat(false, [kept.record])).toMatchObject({ kind: 'forgotten' });
    await b.restore({ windowMs, permits: [{ record: kept.record, remainingMs: 30_000 }] });
    expect((await scene.keys()).state['held']).toBe(3);
  });

  test('older data than it knows, as a stale replica has it, gives way to a new epoch above both', async () => {
    const { scene, a, b, held, first } = await lostScene();
    await a.restore({ permits: [{ record: held.record, remainingMs: 29_000 }] });
    const stale = await scene.snapshot();
    await scene.lose();
    const { epoch } = await a.restore({ permits: [{ record: held.record, remainingMs: 29_000 }] });
    await b.restore({ waiters: [place(first)] });
    await scene.rollBack(stale);

    expect(await a.raw.beat(false, [])).toMatchObject({ kind: 'forgotten' });
    const reply = await b.restore({ windowMs, waiters: [place(first)] });

    expect(reply.epoch).toBeGreaterThan(epoch);
    await scene.expectKeys({
      permits: { [held.record]: scene.nowMs + 29_000 },
      waiters: [first.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 1, openAtMs: scene.nowMs + windowMs },
    });
  });

  test('permits that have expired meanwhile are taken back first', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await b.hold({ leaseMs: 1_000 });
    const held = await a.hold({ leaseMs: 3_000 });
    const stale = await scene.snapshot();
    scene.advance(2_000);
    await a.renew(held.record, 9_000);
    await scene.rollBack(stale);
    scene.advance(1_000);

    const reply = await a.restore({ permits: [{ record: held.record, remainingMs: 8_000 }] });

    expect(reply.answers).toEqual([scene.nowMs + 8_000]);
    await scene.expectKeys({ permits: { [held.record]: scene.nowMs + 8_000 }, state: { held: 1 } });
  });

  test('a permit that is still there keeps the expiry that it has, and that is what is answered', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();

    const { answers } = await a.restore({ permits: [{ record: held.record, remainingMs: 12_345 }] });

    expect(answers).toEqual([held.expiresAtMs]);
    expect((await scene.keys()).permits).toEqual({ [held.record]: held.expiresAtMs });
  });
});

describe('torn data', () => {
  async function tornScene(lose: (scene: Scene) => Promise<void>) {
    const scene = openScene({ limit: 2 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const [held, other] = [await a.hold(), await c.hold()];
    const waiting = await b.queue();
    await lose(scene);
    return { scene, a, b, c, held, other, waiting };
  }

  test('without its permits is forgotten to everyone, newcomers included', async () => {
    const { scene, a } = await tornScene((torn) => torn.lose('permits'));
    for (const client of [a, scene.client('new')]) {
      for (const reply of await everyScript(client)) {
        expect(reply).toMatchObject({ kind: 'forgotten' });
      }
    }
  });

  test('without its state is forgotten to everyone, newcomers included', async () => {
    const { scene, a } = await tornScene((torn) => torn.lose('state'));
    for (const client of [a, scene.client('new')]) {
      for (const reply of await everyScript(client)) {
        expect(reply).toMatchObject({ kind: 'forgotten' });
      }
    }
  });

  test('without its state, though nobody waits, is forgotten to everyone, newcomers included', async () => {
    const scene = openScene();
    const a = scene.client('a');
    await a.hold();
    await scene.lose('state');
    for (const client of [a, scene.client('new')]) {
      for (const reply of await everyScript(client)) {
        expect(reply).toMatchObject({ kind: 'forgotten' });
      }
    }
  });

  test('of which only the line is left is forgotten to everyone, newcomers included', async () => {
    const { scene, a } = await tornScene((torn) => torn.lose('state', 'permits', 'clients'));
    for (const client of [a, scene.client('new')]) {
      for (const reply of await everyScript(client)) {
        expect(reply).toMatchObject({ kind: 'forgotten' });
      }
    }
  });

  test('without its line shows by what a beat answers', async () => {
    const { b, waiting } = await tornScene((torn) => torn.lose('waiters'));
    expect((await b.beat([waiting.record])).answers).toEqual([{ kind: 'unknown', refusedAtMs: 0 }]);
  });

  test('without its clients is forgotten to everyone while somebody waits, newcomers included', async () => {
    const { scene, a } = await tornScene((torn) => torn.lose('clients'));
    for (const client of [a, scene.client('new')]) {
      for (const reply of await everyScript(client)) {
        expect(reply).toMatchObject({ kind: 'forgotten' });
      }
    }
  });

  test('without its clients keeps the permits, and a line of those who put themselves back', async () => {
    const { scene, a, b, held, other, waiting } = await tornScene((torn) => torn.lose('clients'));
    const { epoch } = a;

    const reply = await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 9_000 }] });
    expect(reply.epoch).toBeGreaterThan(epoch);
    expect((await scene.keys()).waiters).toEqual([]);
    await b.restore({ windowMs, waiters: [place(waiting)] });

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs, [other.record]: other.expiresAtMs },
      waiters: [waiting.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 2, openAtMs: scene.nowMs + windowMs },
    });
  });

  test('is not what a semaphore has of which nobody waits, and so no clients', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const held = await a.hold();
    expect((await a.renew(held.record)).answers).toEqual([scene.nowMs + 30_000]);
  });

  test('without its permits is made whole by those who held them', async () => {
    const { scene, a, b, c, held, other, waiting } = await tornScene((torn) => torn.lose('permits'));
    const { epoch } = a;

    const reply = await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 9_000 }] });
    await c.restore({ windowMs, permits: [{ record: other.record, remainingMs: 9_000 }] });
    await b.restore({ windowMs, waiters: [place(waiting)] });

    expect(reply.epoch).toBeGreaterThan(epoch);
    await scene.expectKeys({
      permits: { [held.record]: scene.nowMs + 9_000, [other.record]: scene.nowMs + 9_000 },
      waiters: [waiting.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 2, openAtMs: scene.nowMs + windowMs },
    });
  });

  test('without its state counts again what the permits weigh', async () => {
    const { scene, a, held, other, waiting } = await tornScene((torn) => torn.lose('state'));

    await a.restore({ windowMs, permits: [{ record: held.record, remainingMs: 9_000 }] });

    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs, [other.record]: other.expiresAtMs },
      waiters: [waiting.record],
      clients: { b: scene.nowMs + 10_000 },
      state: { held: 2, limit: 2, declared: 2, openAtMs: scene.nowMs + windowMs },
    });
  });

  test.each([['permits'], ['clients'], ['state']] as const)(
    'without its %s is good again after a newcomer restored it, who knows of no epoch',
    async (what) => {
      const { scene } = await tornScene((torn) => torn.lose(what));
      const newcomer = scene.client('new');
      expect(await newcomer.raw.beat(false, [])).toMatchObject({ kind: 'forgotten' });

      await newcomer.restore({ windowMs });

      expect((await scene.keys()).state['openAtMs']).toBe(scene.nowMs + windowMs);
      await newcomer.beat();
      await newcomer.queue();
    },
  );

  test('is restored by a newcomer too, who knows of no epoch', async () => {
    const { scene, other, held } = await tornScene((torn) => torn.lose('state'));
    await scene.client('new').restore({ windowMs });

    await expect(scene.keys()).resolves.toMatchObject({
      permits: { [held.record]: held.expiresAtMs, [other.record]: other.expiresAtMs },
      state: { held: 2, openAtMs: scene.nowMs + windowMs },
    });
  });
});

describe('a client whose waiters alone were dropped', () => {
  async function droppedScene() {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold({ leaseMs: 60_000 });
    const dropped = await b.queue();
    const [second, third] = [await c.queue(), await c.queue()];
    await scene.advanceWithBeats(12_000, c, true);
    await a.release(held.record);
    expect(await scene.keys()).toMatchObject({ permits: { [second.record]: scene.nowMs + 10_000 } });
    return { scene, a, b, c, dropped, second, third };
  }

  test('puts them back to their old places, in the same epoch and without closing anything', async () => {
    const { scene, a, b, c, dropped, second, third } = await droppedScene();
    const { epoch } = a;

    const reply = await b.restore({ lost: false, waiters: [place(dropped)] });

    expect(reply).toMatchObject({ epoch, lookAtMs: scene.nowMs + 10_000 });
    await scene.expectKeys({
      permits: { [second.record]: scene.nowMs + 10_000 },
      waiters: [dropped.record, third.record],
      clients: { b: scene.nowMs + 10_000, c: scene.nowMs + 10_000 },
      state: { epoch, openAtMs: undefined, held: 1 },
    });
    await c.release(second.record);
    expect((await scene.keys()).permits).toEqual({ [dropped.record]: scene.nowMs + 10_000 });
  });

  test('is served at once if there is room', async () => {
    const { scene, b, c, dropped, second, third } = await droppedScene();
    await c.release(second.record, third.record);

    const { grants } = await b.restore({ lost: false, waiters: [place(dropped)] });

    expect(grants).toMatchObject([{ record: dropped.record, expiresAtMs: scene.nowMs + 10_000 }]);
    expect(await scene.keys()).toMatchObject({ waiters: [], state: { held: 1 } });
  });

  test('is told forgotten if the data was lost too, and nothing changes', async () => {
    const { scene, b, dropped } = await droppedScene();
    await scene.lose();

    const what = { lost: false, waiters: [place(dropped)] };
    expect(await b.raw.restore(what)).toMatchObject({ kind: 'forgotten' });
    await scene.expectKeys({});

    await scene.client('new').hold();
    expect(await b.raw.restore(what)).toMatchObject({ kind: 'forgotten' });
  });

  test('is told forgotten if the data is torn, and nothing changes', async () => {
    const { scene, b, dropped } = await droppedScene();
    await scene.lose('permits');

    expect(await b.raw.restore({ lost: false, waiters: [place(dropped)] })).toMatchObject({
      kind: 'forgotten',
    });
  });
});
