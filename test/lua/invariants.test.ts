import { describe, expect, test } from 'vitest';
import { nobody } from '../../src/redis/store.ts';
import { faultsOf, type Keys, type Step } from './invariants.ts';

const keys: Keys = {
  permits: { 'a/1/1/5000': 6_000 },
  waiters: ['b/1/1/5000'],
  tickets: { 'b/1/1/5000': 30 },
  clients: { b: 9_000 },
  state: {
    limit: 1,
    declared: 1,
    held: 1,
    epoch: 10,
    seq: 30,
    lastMs: 1_000,
    retentionMs: 60_000,
    hasLine: 1,
  },
  ttlMs: { permits: 60_000, waiters: 60_000, clients: 60_000, state: 60_000 },
};

const step: Step = {
  script: 'beat',
  caller: { ...nobody, epoch: 10, limit: 1 },
  before: keys,
  after: keys,
  nowMs: 1_000,
  unfinished: false,
  reply: {
    kind: 'ok',
    nowMs: 1_000,
    epoch: 10,
    terms: 10,
    limit: 1,
    declaredLimit: 1,
    grants: [],
    answers: [],
    lookAtMs: 0,
  },
};

/** The step with other keys after it. */
function ending(after: Partial<Keys>): Step {
  return { ...step, after: { ...keys, ...after } };
}

function withState(fields: Keys['state']): Step {
  return ending({ state: { ...keys.state, ...fields } });
}

describe('the check that follows each script', () => {
  test('has nothing against a step after which all is as it should be', () => {
    expect(faultsOf(step)).toEqual([]);
  });

  const answering = (reply: Partial<Step['reply']>): Step => ({
    ...step,
    reply: { ...step.reply, ...reply } as Step['reply'],
  });

  test.each<[string, Step, string]>([
    ['units that are counted wrong', withState({ held: 2 }), 'held is 2, but the permits weigh 1'],
    [
      'units above the limit',
      ending({
        permits: { 'a/1/1/5000': 6_000, 'b/1/1/5000': 6_000 },
        waiters: [],
        tickets: {},
        state: { ...keys.state, held: 2 },
      }),
      '2 units are held of 1, and it were fewer before',
    ],
    [
      'room that is left unused',
      ending({ permits: {}, state: { ...keys.state, held: 0 } }),
      'b/1/1/5000 waits at the head although it fits',
    ],
    ['an expired permit that is still there', { ...step, nowMs: 6_000 }, '1 expired permits are still there'],
    [
      'a record in both sets',
      ending({ waiters: ['a/1/1/5000', 'b/1/1/5000'], tickets: { 'a/1/1/5000': 20, 'b/1/1/5000': 30 } }),
      'a/1/1/5000 both holds and waits',
    ],
    ['a line that the numbers deny', withState({ hasLine: 0 }), 'hasLine is 0, and 1 wait'],
    [
      'one who overtakes',
      ending({ permits: { 'c/1/1/5000': 6_000 } }),
      'c/1/1/5000 was granted, and b/1/1/5000 was there before',
    ],
    ['a ticket that changes', ending({ tickets: { 'b/1/1/5000': 31 } }), 'b/1/1/5000 has another ticket now'],
    ['something that is no record', ending({ permits: { 'a/1/1': 6_000 } }), 'a/1/1 is no record'],
    [
      'a token that is not new',
      answering({ grants: [{ record: 'b/1/1/5000', token: 30, expiresAtMs: 6_000 }] }),
      '30 was drawn after 30',
    ],
    [
      'a number that the caller has seen before',
      {
        ...answering({ answers: [{ kind: 'granted', token: 31, expiresAtMs: 1 }] }),
        caller: { ...step.caller, seen: 40 },
      },
      '31 was drawn after 40',
    ],
    ['an epoch that changes', withState({ epoch: 11 }), 'the epoch told is not the one stored'],
    ['a limit that is told wrong', answering({ limit: 2 }), 'the limit told is not the one stored'],
    [
      'a declaration that is told wrong',
      answering({ declaredLimit: 2 }),
      'the limit told as declared is not the one stored',
    ],
    [
      'time that runs back',
      { ...withState({ lastMs: 900 }), reply: { ...step.reply, nowMs: 900 } as Step['reply'] },
      'time ran back',
    ],
    [
      'a key that would stay for ever',
      ending({ ttlMs: { ...keys.ttlMs, waiters: -1 } }),
      'waiters would stay for ever',
    ],
    [
      'a TTL that was not renewed',
      ending({ ttlMs: { ...keys.ttlMs, clients: 20_000 } }),
      'clients stays for 20000 ms, not 60000',
    ],
    ['a lease that outlives its key', ending({ permits: { 'a/1/1/5000': 99_000 } }), 'a lease is 98000 ms'],
    [
      'a change by a script that says forgotten',
      { ...withState({ held: 0 }), reply: { kind: 'forgotten', nowMs: 1_000 } },
      'it changed something, and answered forgotten',
    ],
    [
      'a change by a script that failed',
      { ...withState({ held: 0 }), reply: new Error('OOM') },
      'it changed something, and answered an error',
    ],
  ])('finds %s', (_what, broken, fault) => {
    expect(faultsOf(broken).join('\n')).toContain(fault);
  });
});
