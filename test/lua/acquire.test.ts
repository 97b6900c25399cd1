import { describe, expect, test } from 'vitest';
import { openScene } from './support.ts';

describe('acquire', () => {
  test('grants at once while the semaphore has the units free', async () => {
    const scene = openScene({ limit: 2 });
    const a = scene.client('a');

    const one = await a.hold({ leaseMs: 20_000 });

    expect(one.expiresAtMs).toBe(scene.nowMs + 20_000);
    await scene.expectKeys({
      permits: { 'a/1/1/20000': scene.nowMs + 20_000 },
      state: {
        limit: 2,
        declared: 2,
        held: 1,
        epoch: a.epoch,
        seq: one.token,
        lastMs: scene.nowMs,
        retentionMs: 86_400_000,
        openAtMs: undefined,
        bounded: undefined,
      },
    });
  });

  test('appends to the line what does not fit, marks the client present, and tells tickets that rise', async () => {
    const scene = openScene({ limit: 1, presenceMs: 9_000 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const held = await a.hold();

    const first = await b.queue();
    const second = await c.queue();
    const third = await b.queue();

    expect(first.ticket).toBeLessThan(second.ticket);
    expect(second.ticket).toBeLessThan(third.ticket);
    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs },
      waiters: [first.record, second.record, third.record],
      clients: { b: scene.nowMs + 9_000, c: scene.nowMs + 9_000 },
      state: { held: 1, seq: third.ticket },
    });
    expect((await scene.keys()).tickets).toEqual({
      [first.record]: first.ticket,
      [second.record]: second.ticket,
      [third.record]: third.ticket,
    });
  });

  test('grants a batch in its order, until it is full and the rest queues in its order', async () => {
    const scene = openScene({ limit: 2 });
    const a = scene.client('a');
    const requests = a.requests(4);

    const { answers } = await a.acquire(requests);

    expect(answers.map(({ kind }) => kind)).toEqual(['granted', 'granted', 'queued', 'queued']);
    const expiresAtMs = scene.nowMs + 30_000;
    await scene.expectKeys({
      permits: { 'a/1/1/30000': expiresAtMs, 'a/2/1/30000': expiresAtMs },
      waiters: ['a/3/1/30000', 'a/4/1/30000'],
      clients: { a: scene.nowMs + 10_000 },
      state: { held: 2 },
    });
  });

  test('answers 500 requests in one call, each in its place', async () => {
    const scene = openScene({ limit: 200 });
    const a = scene.client('a');
    const requests = a.requests(500);

    const { answers } = await a.acquire(requests);

    expect(answers.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 200 }, () => 'granted'),
      ...Array.from({ length: 300 }, () => 'queued'),
    ]);
    const { permits, waiters, state } = await scene.keys();
    expect(Object.keys(permits)).toHaveLength(200);
    expect(waiters).toEqual(requests.slice(200).map(({ record }) => record));
    expect(state['held']).toBe(200);
  });

  test('counts weights, and gives as many units as are free and not one more', async () => {
    const scene = openScene({ limit: 10 });
    const a = scene.client('a');

    await a.hold({ weight: 7 });
    await a.hold({ weight: 3 });
    await a.queue({ weight: 1 });

    await scene.expectKeys({
      permits: { 'a/1/7/30000': scene.nowMs + 30_000, 'a/2/3/30000': scene.nowMs + 30_000 },
      waiters: ['a/3/1/30000'],
      clients: { a: scene.nowMs + 10_000 },
      state: { held: 10 },
    });
  });

  test('does not let a light request overtake a heavy one that waits for its units', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    await a.hold();

    const heavy = await b.queue({ weight: 3 });
    const light = await c.queue({ weight: 1 });

    const { waiters, state } = await scene.keys();
    expect(waiters).toEqual([heavy.record, light.record]);
    expect(state['held']).toBe(1);
  });

  test('does not let a light request of the same batch overtake a heavy one before it', async () => {
    const scene = openScene({ limit: 3 });
    const a = scene.client('a');

    const { answers } = await a.acquire([a.request({ weight: 2 }), a.request({ weight: 2 }), a.request()]);

    expect(answers.map(({ kind }) => kind)).toEqual(['granted', 'queued', 'queued']);
  });

  test('starts an empty limit with everybody in line', async () => {
    const scene = openScene({ limit: 0 });
    const a = scene.client('a');

    await a.queue();
    await a.queue({ weight: 5 });

    const { waiters, state } = await scene.keys();
    expect(waiters).toEqual(['a/1/1/30000', 'a/2/5/30000']);
    expect(state).toMatchObject({ held: 0, limit: 0 });
  });

  test('remembers that a bounded handle exists', async () => {
    const scene = openScene();
    await scene.client('a', { bounded: true }).hold();
    await scene.client('b').queue();

    expect((await scene.keys()).state['bounded']).toBe(1);
  });

  test('keeps the keys for as long as the longest lease that anyone took', async () => {
    const scene = openScene({ limit: 2, retentionMs: 60_000 });
    const [a, b] = [scene.client('a'), scene.client('b')];

    await a.hold({ leaseMs: 3_600_000 });
    await b.hold({ leaseMs: 1_000 });

    const { ttlMs, state } = await scene.keys();
    expect(state['retentionMs']).toBe(3_600_000);
    expect(ttlMs.permits).toBeGreaterThan(3_500_000);
  });
});

describe('acquire refuses', () => {
  test('a try that does not fit, and queues nothing', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();

    expect(await b.attempt()).toMatchObject({ kind: 'full', waiting: 0 });

    await scene.expectKeys({ permits: { 'a/1/1/30000': scene.nowMs + 30_000 }, state: { held: 1 } });
  });

  test('a try that would fit when somebody waits before it', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    await a.hold();
    await b.queue({ weight: 2 });

    expect(await c.attempt()).toMatchObject({ kind: 'full', waiting: 1 });
    expect((await scene.keys()).waiters).toEqual(['b/1/2/30000']);
  });

  test('a try and stops nobody behind it', async () => {
    const scene = openScene({ limit: 1 });
    const a = scene.client('a');

    const { answers } = await a.acquire([
      a.request({ weight: 1, maxWaiting: 0 }),
      a.request({ weight: 1, maxWaiting: 0 }),
      a.request({ weight: 1 }),
    ]);
    expect(answers.map(({ kind }) => kind)).toEqual(['granted', 'full', 'queued']);
  });

  test('a heavy try, and a light request behind it in the batch gets the unit', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();

    const { answers } = await b.acquire([b.request({ weight: 2, maxWaiting: 0 }), b.request()]);

    expect(answers.map(({ kind }) => kind)).toEqual(['full', 'granted']);
    await scene.expectKeys({
      permits: { 'a/1/1/30000': scene.nowMs + 30_000, 'b/2/1/30000': scene.nowMs + 30_000 },
      state: { held: 2 },
    });
  });

  test('nothing of a try that fits', async () => {
    const scene = openScene();
    expect(await scene.client('a').attempt()).toMatchObject({ kind: 'granted' });
    expect((await scene.keys()).state['held']).toBe(1);
  });

  test('a weight that can never fit, whatever is free, and stops nobody behind it', async () => {
    const scene = openScene({ limit: 3 });
    const a = scene.client('a');

    const { answers } = await a.acquire([a.request({ weight: 4 }), a.request({ weight: 3 })]);

    expect(answers).toMatchObject([{ kind: 'impossible', limit: 3 }, { kind: 'granted' }]);
    expect(await a.take({ weight: 4 })).toMatchObject({ kind: 'impossible', limit: 3 });
    await scene.expectKeys({ permits: { 'a/2/3/30000': scene.nowMs + 30_000 }, state: { held: 3 } });
  });

  test('to join a line that is longer than the request allows', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();

    await a.queue({ maxWaiting: 2 });
    await b.queue({ maxWaiting: 2 });
    expect(await b.take({ maxWaiting: 2 })).toMatchObject({ kind: 'full', waiting: 2 });
    expect(await a.take({ maxWaiting: 1 })).toMatchObject({ kind: 'full', waiting: 2 });
    await b.queue({ maxWaiting: 3 });
    await b.queue();

    expect((await scene.keys()).waiters).toEqual([
      'a/2/1/30000',
      'b/1/1/30000',
      'b/3/1/30000',
      'b/4/1/30000',
    ]);
  });

  test('to join a line that its own batch has made too long', async () => {
    const scene = openScene();
    const a = scene.client('a');

    const { answers } = await a.acquire(a.requests(4, { maxWaiting: 2 }));

    expect(answers).toMatchObject([
      { kind: 'granted' },
      { kind: 'queued' },
      { kind: 'queued' },
      { kind: 'full', waiting: 2 },
    ]);
  });
});

describe('an acquire that comes twice', () => {
  test('gets one permit, with the same expiry and a fresh, higher token', async () => {
    const scene = openScene({ limit: 2 });
    const a = scene.client('a');
    const first = await a.hold();
    scene.advance(1_000);

    const { answers } = await a.acquire([first.request]);

    expect(answers).toEqual([{ kind: 'granted', token: expect.any(Number), expiresAtMs: first.expiresAtMs }]);
    expect(answers[0]).toSatisfy(({ token }) => token > first.token);
    await scene.expectKeys({ permits: { [first.record]: first.expiresAtMs }, state: { held: 1 } });
  });

  test('gets one permit when its copies are in one batch', async () => {
    const scene = openScene({ limit: 2 });
    const a = scene.client('a');
    const request = a.request();

    const { answers } = await a.acquire([request, request]);

    expect(answers.map(({ kind }) => kind)).toEqual(['granted', 'granted']);
    expect((await scene.keys()).state['held']).toBe(1);
  });

  test('keeps the one place that it has in line, and its ticket', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    const first = await b.queue();
    await a.queue();
    scene.advance(2_000);

    const { answers } = await b.acquire([first.request, first.request]);

    const queued = { kind: 'queued', ticket: first.ticket };
    expect(answers).toEqual([queued, queued]);
    await scene.expectKeys({
      permits: { 'a/1/1/30000': scene.nowMs + 28_000 },
      waiters: [first.record, 'a/2/1/30000'],
      clients: { a: scene.nowMs + 8_000, b: scene.nowMs + 10_000 },
    });
  });

  test('keeps its place although the line has become longer than it allows', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold();
    const first = await b.queue({ maxWaiting: 1 });
    await a.queue();

    expect((await b.acquire([first.request])).answers).toEqual([{ kind: 'queued', ticket: first.ticket }]);
  });

  test('keeps its place although it can never fit any more, until that is said at its turn', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold({ weight: 3 });
    const heavy = await b.queue({ weight: 3 });
    await a.resize(2);

    expect((await b.acquire([heavy.request])).answers).toEqual([{ kind: 'queued', ticket: heavy.ticket }]);
    await a.release(held.record);
    expect((await b.acquire([heavy.request])).answers).toEqual([{ kind: 'impossible', limit: 2 }]);
    expect((await scene.keys()).waiters).toEqual([]);
  });

  test('is answered with the permit that a hand-off gave it meanwhile', async () => {
    const scene = openScene({ presenceMs: 8_000 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const waiting = await b.queue();
    await a.release(held.record);
    scene.advance(1_000);

    const { answers } = await b.acquire([waiting.request]);

    expect(answers).toEqual([
      { kind: 'granted', token: expect.any(Number), expiresAtMs: scene.nowMs + 7_000 },
    ]);
    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 7_000 },
      clients: { b: scene.nowMs + 7_000 },
      state: { held: 1 },
    });
  });

  test('is answered with the permit that this very call hands off to it', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ leaseMs: 4_000 });
    const waiting = await b.queue();
    scene.advance(4_000);

    const { answers, grants } = await b.acquire([waiting.request]);

    // Whoever calls is present: the hand-off lease is a whole presence time.
    expect(grants).toEqual([
      { record: waiting.record, token: expect.any(Number), expiresAtMs: scene.nowMs + 10_000 },
    ]);
    expect(answers).toEqual([
      { kind: 'granted', token: expect.any(Number), expiresAtMs: scene.nowMs + 10_000 },
    ]);
  });

  test('after its lease has expired is a new request: granted anew if there is room', async () => {
    const scene = openScene();
    const a = scene.client('a');
    const first = await a.hold({ leaseMs: 1_000 });
    scene.advance(1_000);

    const { answers } = await a.acquire([first.request]);

    expect(answers).toEqual([
      { kind: 'granted', token: expect.any(Number), expiresAtMs: scene.nowMs + 1_000 },
    ]);
    await scene.expectKeys({ permits: { [first.record]: scene.nowMs + 1_000 }, state: { held: 1 } });
  });

  test('after its lease has expired is a new request: at the end of the line if somebody waits', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    const first = await a.hold({ leaseMs: 4_000 });
    const next = await b.queue();
    const last = await c.queue();
    scene.advance(4_000);

    const { answers } = await a.acquire([first.request]);

    expect(answers).toMatchObject([{ kind: 'queued' }]);
    await scene.expectKeys({
      permits: { [next.record]: scene.nowMs + 6_000 },
      waiters: [last.record, first.record],
      clients: { a: scene.nowMs + 10_000, b: scene.nowMs + 6_000, c: scene.nowMs + 6_000 },
      state: { held: 1 },
    });
  });

  test('and was refused is judged anew, and leaves nothing behind either time', async () => {
    const scene = openScene({ limit: 1 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    const held = await a.hold();
    const [attempt, impossible] = [b.request({ maxWaiting: 0 }), b.request({ weight: 2 })];

    await b.acquire([attempt, impossible]);
    const { answers } = await b.acquire([attempt, impossible]);

    expect(answers).toEqual([
      { kind: 'full', waiting: 0 },
      { kind: 'impossible', limit: 1 },
    ]);
    await scene.expectKeys({ permits: { [held.record]: held.expiresAtMs }, state: { held: 1 } });
  });
});

describe('an acquire that makes room by itself', () => {
  test('takes expired permits back before it judges what fits', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ leaseMs: 1_000 });
    scene.advance(999);
    expect(await b.attempt()).toMatchObject({ kind: 'full' });
    scene.advance(1);
    expect(await b.attempt()).toMatchObject({ kind: 'granted' });

    await scene.expectKeys({ permits: { 'b/2/1/30000': scene.nowMs + 30_000 }, state: { held: 1 } });
  });

  test('takes expired permits back also when it is granted without', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ weight: 2, leaseMs: 1_000 });
    scene.advance(1_000);

    await b.hold();

    await scene.expectKeys({ permits: { 'b/1/1/30000': scene.nowMs + 30_000 }, state: { held: 1 } });
  });

  test('serves those who were there before, and only then itself', async () => {
    const scene = openScene({ limit: 3 });
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];
    await a.hold({ weight: 3, leaseMs: 4_000 });
    const waiting = await b.queue({ weight: 2 });
    scene.advance(4_000);

    const { answers, grants } = await c.acquire([c.request(), c.request()]);

    expect(grants).toEqual([]);
    expect(answers.map(({ kind }) => kind)).toEqual(['granted', 'queued']);
    await scene.expectKeys({
      permits: { [waiting.record]: scene.nowMs + 6_000, 'c/1/1/30000': scene.nowMs + 30_000 },
      waiters: ['c/2/1/30000'],
      clients: { b: scene.nowMs + 6_000, c: scene.nowMs + 10_000 },
      state: { held: 3 },
    });
  });

  test('gets the grants of its own earlier waiters in the reply', async () => {
    const scene = openScene();
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ leaseMs: 4_000 });
    const [first, second] = [await b.queue(), await b.queue()];
    scene.advance(4_000);

    const { answers, grants } = await b.acquire([b.request()]);

    expect(grants).toMatchObject([{ record: first.record, expiresAtMs: scene.nowMs + 10_000 }]);
    expect(answers).toMatchObject([{ kind: 'queued' }]);
    expect((await scene.keys()).waiters).toEqual([second.record, 'b/3/1/30000']);
  });
});

describe('an acquire that declares another limit', () => {
  test('is told of the mismatch, and nothing changes, if that is an error', async () => {
    const scene = openScene({ limit: 3 });
    await scene.client('a').hold({ leaseMs: 1_000 });
    scene.advance(1_000);
    const b = scene.client('b', { limit: 5 });

    expect(await b.raw.acquire([b.request()], 'error')).toEqual({ kind: 'mismatch', declaredLimit: 3 });
  });

  test('is told the limit declared, not the one in force after a resize', async () => {
    const scene = openScene({ limit: 3 });
    const a = scene.client('a');
    await a.hold();
    await a.resize(8);
    const b = scene.client('b', { limit: 8 });

    expect(await b.raw.acquire([b.request()], 'error')).toEqual({ kind: 'mismatch', declaredLimit: 3 });
    expect(await scene.client('c').hold()).toMatchObject({ kind: 'granted' });
    expect((await scene.keys()).state).toMatchObject({ limit: 8, declared: 3, held: 2 });
  });

  test('goes by the limit in force if it adopts it', async () => {
    const scene = openScene({ limit: 1 });
    await scene.client('a').hold();
    const b = scene.client('b', { limit: 5 });

    const reply = await b.acquire([b.request()], 'adopt');

    expect(reply).toMatchObject({ limit: 1, answers: [{ kind: 'queued' }] });
    expect((await scene.keys()).state).toMatchObject({ limit: 1, declared: 1 });
  });

  test('sets limit and declaration if it resizes, and serves the line before itself', async () => {
    const scene = openScene({ limit: 1 });
    const [a, c] = [scene.client('a'), scene.client('c')];
    const held = await a.hold();
    const waiting = await c.queue();
    const b = scene.client('b', { limit: 2 });

    const reply = await b.acquire([b.request()], 'resize');

    expect(reply).toMatchObject({ limit: 2, answers: [{ kind: 'queued' }] });
    await scene.expectKeys({
      permits: { [held.record]: held.expiresAtMs, [waiting.record]: scene.nowMs + 10_000 },
      waiters: ['b/1/1/30000'],
      clients: { b: scene.nowMs + 10_000, c: scene.nowMs + 10_000 },
      state: { limit: 2, declared: 2, held: 2 },
    });
  });

  test('does not resize again when its copy comes after a later resize', async () => {
    const scene = openScene({ limit: 1 });
    const a = scene.client('a');
    await a.hold();
    const b = scene.client('b', { limit: 2 });
    const request = b.request();
    await b.acquire([request], 'resize');
    await a.resize(7);

    await b.acquire([request], 'resize');

    expect((await scene.keys()).state).toMatchObject({ limit: 7, declared: 2, held: 2 });
  });

  test('is let be once the client has settled it', async () => {
    const scene = openScene({ limit: 3 });
    await scene.client('a').hold();
    const b = scene.client('b', { limit: 5 });

    expect(await b.acquire([b.request()], 'settled')).toMatchObject({ limit: 3 });
    expect((await scene.keys()).state).toMatchObject({ limit: 3, declared: 3, held: 2 });
  });
});

describe('an acquire that queues learns when to look again', () => {
  test('at the first expiry, if the head of the line is its own', async () => {
    const scene = openScene({ limit: 2 });
    const [a, b] = [scene.client('a'), scene.client('b')];
    await a.hold({ leaseMs: 20_000 });
    await a.hold({ leaseMs: 5_000 });

    const { lookAtMs } = await b.acquire([b.request()]);
    expect(lookAtMs).toBe(scene.nowMs + 5_000);
    expect((await b.acquire([b.request()])).lookAtMs).toBe(0); // it knows
  });

  test('at no special time, if somebody else is the head or it does not wait', async () => {
    const scene = openScene();
    const [a, b, c] = [scene.client('a'), scene.client('b'), scene.client('c')];

    expect((await a.acquire([a.request()])).lookAtMs).toBe(0);
    await b.queue();
    expect((await c.acquire([c.request()])).lookAtMs).toBe(0);
    expect((await a.acquire([a.request({ maxWaiting: 0 })])).lookAtMs).toBe(0);
  });

  test('at no special time, if nothing is held that could expire', async () => {
    const scene = openScene({ limit: 0 });
    const a = scene.client('a');
    expect((await a.acquire([a.request()])).lookAtMs).toBe(0);
  });
});
