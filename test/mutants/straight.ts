import type { Mutant } from './mutant.ts';

const quickly = 'the straight way does what the rest of the script would do';

/** What acquire and release both ask before they go straight on. */
const withoutOne = [
  ['whatever the caller knows', 'terms == knownTerms and ', ''],
  ['although a rare number is in force', 'isCalm == 1 and ', ''],
  ['although the clock was set back', 'nowMs >= lastMs and ', ''],
  ['after a silence', 'nowMs <= lastMs + presenceMs / 2\n    and ', ''],
  ['although a lease has ended or a TTL is due', 'and nowMs < dueMs', ''],
  ['although somebody waits', 'hasLine == 0 and ', ''],
];

/** Ways to break the straight ways at the top of acquire and release: each of their conditions and writes, left out. */
export const straightMutants: readonly Mutant[] = [
  ...[
    ...withoutOne,
    ['over the limit', 'held + weight <= limit', 'true'],
    ['with a number that was drawn before', 'timeUs > seq', 'true'],
    ['with a number that the caller has seen', 'timeUs > seen', 'true'],
    ['although the permits are gone', "(held == 0 or redis.call('EXISTS', permitsKey) == 1)", 'true'],
    ['without a TTL', "redis.call('PEXPIRE', permitsKey, math.ceil(retentionMs * 9 / 8))", ''],
    ['and what comes twice is answered as new', 'if added == count then', 'if true then'],
    ['and what comes twice counts twice', 'held + weight / count * added', 'held + weight'],
    ['and what comes twice starts its lease anew', "'ZADD', permitsKey, 'NX',", "'ZADD', permitsKey,"],
    ['and draws a number for the first only', 'timeUs + count - 1', 'timeUs'],
    ['and forgets when the first lease ends', 'math.min(dueMs, expiresAtMs)', 'dueMs'],
  ].map(([how, from, to]) => straight('acquire', 'a straight acquire grants', how, from, to)),
  ...[
    ['although there is room', 'held >= limit and ', ''],
    ['whatever can never fit', 'weight / count <= limit', 'true'],
    ['a try', 'allWeight > 0 and ', ''],
    ['although a key is lost', "redis.call('EXISTS', permitsKey, waitersKey, clientsKey) == 3", 'true'],
    ['what was granted', 'areAbsent(permitsKey) and ', ''],
    ['once more what waits', '(count == 1 or areAbsent(waitersKey))', 'true'],
    ['once more one that waits', "redis.call('ZADD', waitersKey, 'NX',", "redis.call('ZADD', waitersKey,"],
    ['all with one ticket', 'timeUs + i - firstRecord', 'timeUs'],
    ['who is absent', "redis.call('ZADD', clientsKey, nowMs + callerPresenceMs, clientId)", ''],
  ].map(([how, from, to]) => straight('acquire', 'a straight acquire puts in line', how, from, to)),
  ...[
    ...withoutOne,
    ['and forgets what the caller has seen', 'and seq >= seen', ''],
    ['what is not held', '    if not expiresAtMs then\n      return false\n    end\n', ''],
    [
      'one that is not held',
      'permitsKey, records[firstRecord]) == 1',
      'permitsKey, records[firstRecord]) >= 0',
    ],
  ].map(([how, from, to]) => straight('release', 'a straight release takes', how, from, to)),
  {
    name: 'a straight release keeps the units',
    breaks: 'test_semaphore, test_acquire_hang, test_acquire_no_hang, test_release_no_waiters',
    file: 'lua/release.lua',
    from: '      held - allWeight, seq',
    to: '      held, seq',
    caughtBy: ['lua/straight', 'conformance'],
  },
  {
    name: 'a straight hand-off serves who is last',
    breaks: 'test_acquire_fifo_order, test_acquire_fifo_order_2 to 4',
    file: 'lua/shared/next-in-line.lua',
    from: "redis.call('ZRANGE', waitersKey, '0', units)",
    to: "redis.call('ZREVRANGE', waitersKey, '0', units)",
    caughtBy: ['lua/straight', 'conformance'],
  },
  ...[
    [
      'without taking them out of the line',
      "redis.call('ZREMRANGEBYRANK', waitersKey, '0', #next.clients - 1)",
      '',
    ],
    ['without a TTL', "redis.call('PEXPIRE', permitsKey, math.ceil(retentionMs * 9 / 8))", ''],
    ['with the same token', 'seq = math.max(seq + 1, timeUs)', 'seq = timeUs'],
    ['uncounted', 'held + next.weight', 'held'],
    ['without having taken out', 'if next and takeOutAll() then', 'if next then'],
    ['with units that are not free', 'held = held - allWeight\n', ''],
    ['and forgets when the first lease ends', 'math.min(dueMs, next.endsAtMs)', 'dueMs'],
    ['and believes that the line has ended', 'next.isAll and 0 or 1', '0'],
    ['and believes that the line goes on', 'next.isAll and 0 or 1', '1'],
    ['and tells nobody', 'tell(told, client, next.permits[2 * i], seq, next.permits[2 * i - 1])', ''],
  ].map(([how, from, to]) => straight('release', 'a straight hand-off serves', how, from, to)),
  ...[
    ['who is gone', 'untilMs <= nowMs or ', ''],
    ['who does not fit', ' or weight > units', ''],
    ['only who was heard, not the caller', 'client == callerId and untilMs > 0', 'false'],
    ['the caller although its presence is lost', ' and untilMs > 0', ''],
    ['for longer than the presence', 'math.min(nowMs + leaseMs, untilMs)', 'nowMs + leaseMs'],
    ['for no longer than the presence, though nobody renews', 'firm and nowMs + leaseMs or ', ''],
  ].map(([how, from, to]) => straight('shared/next-in-line', 'a straight hand-off serves', how, from, to)),
  ...[
    ['in the grace after a silence', ' and (not semaphore.hasLine or nowMs >= semaphore.graceUntilMs)'],
    ['while something is remembered as revoked', '\n    and nowMs >= semaphore.revokedUntilMs'],
    ['while the semaphore is closed', ' and nowMs >= semaphore.openAtMs'],
    ['while something is added to the time', 'semaphore.skewUs == 0 and '],
  ].map(([how, from]) => straight('shared/semaphore', 'a call goes straight on', how, from, '')),
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
