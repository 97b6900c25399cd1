import type { Mutant } from './mutant.ts';

const quickly = 'the straight way does what the rest of the script would do';

/** Ways to break the straight ways at the top of acquire and release: each of their conditions, left out. */
export const straightMutants: readonly Mutant[] = [
  ...[
    ['whatever the caller knows', 'terms == knownTerms and ', ''],
    ['although somebody waits', 'isCalm == 1 and ', ''],
    ['although the clock was set back', 'nowMs >= lastMs and ', ''],
    ['after a silence', 'nowMs <= lastMs + presenceMs / 2\n    and ', ''],
    ['although a lease has ended or a TTL is due', 'and nowMs < dueMs', ''],
    ['over the limit', 'held + allWeight <= limit', 'true'],
    ['with a number that was drawn before', 'timeUs > seq', 'true'],
    ['with a number that the caller has seen', 'timeUs > seen', 'true'],
    ['although the permits are gone', "(held == 0 or redis.call('EXISTS', permitsKey) == 1)", 'true'],
    ['without a TTL', "redis.call('PEXPIRE', permitsKey, math.ceil(retentionMs * 9 / 8))", ''],
    ['and what comes twice is answered as new', 'if added == count then', 'if true then'],
    ['and what comes twice counts twice', 'held + allWeight / count * added', 'held + allWeight'],
    ['and what comes twice starts its lease anew', "'ZADD', permitsKey, 'NX',", "'ZADD', permitsKey,"],
    ['and draws a number for the first only', 'timeUs + count - 1', 'timeUs'],
    ['and forgets when the first lease ends', 'math.min(dueMs, expiresAtMs)', 'dueMs'],
  ].map(([how, from, to]) => straight('acquire', 'a straight acquire grants', how, from, to)),
  ...[
    ['whatever the caller knows', 'terms == knownTerms and ', ''],
    ['although somebody waits', 'isCalm == 1 and ', ''],
    ['although the clock was set back', 'nowMs >= lastMs and ', ''],
    ['after a silence', 'nowMs <= lastMs + presenceMs / 2\n    and ', ''],
    ['although a lease has ended or a TTL is due', 'and nowMs < dueMs', ''],
    ['and forgets what the caller has seen', 'and seq >= seen', ''],
    ['what is not held', 'areHeld = areHeld and expiresAtMs', 'areHeld = true'],
    [
      'one that is not held',
      'permitsKey, records[firstRecord]) == 1',
      'permitsKey, records[firstRecord]) >= 0',
    ],
    ['and keeps the units', 'held - allWeight', 'held'],
  ].map(([how, from, to]) => straight('release', 'a straight release takes', how, from, to)),
];

function straight(script: string, what: string, how = '', from = '', to = ''): Mutant {
  return {
    name: `${what} ${how}`,
    breaks: quickly,
    file: `lua/${script}.lua`,
    from,
    to,
    caughtBy: ['lua/straight'],
  };
}
