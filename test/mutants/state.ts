import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break a semaphore's own numbers: time, tickets and tokens, TTLs. */
export const stateMutants: readonly Mutant[] = [
  ...mutantsOf('lua/shared/full-redis.lua', 'lua/shared', [
    {
      name: 'a full Redis keeps holders from renewing',
      breaks: 'rule 4: the first write is one that a full Redis allows',
      from: "redis.call('HDEL', semaphore.stateKey, 'none')",
      to: "redis.call('HGET', semaphore.stateKey, 'none')",
    },
  ]),
  ...mutantsOf('lua/shared/semaphore.lua', 'lua/shared', [
    {
      name: 'the clock may run back',
      breaks: 'time never runs back within an epoch',
      from: 'if nowUs < lastMs * 1000 then',
      to: 'if false then',
    },
    {
      name: 'keys are left without a TTL',
      breaks: 'rule: nothing is left behind',
      from: 'keep(semaphore, semaphore.waitersKey)\n',
      to: '',
    },
    {
      name: 'tokens repeat',
      breaks: 'guarantee 7: tokens rise strictly',
      from: 'math.max(semaphore.seq + 1, semaphore.nowUs)',
      to: 'math.max(semaphore.seq, semaphore.nowUs)',
      caughtBy: ['lua/acquire'],
    },
    {
      name: 'numbers that the caller has seen are forgotten',
      breaks: 'guarantee 7: tokens rise, data loss included',
      from: 'math.max(seq, seen)',
      to: 'seq',
    },
    {
      name: 'state is left without a TTL',
      breaks: 'nothing is left behind',
      from: '    keep(semaphore, semaphore.stateKey)\n',
      to: '',
      caughtBy: ['lua/acquire'],
    },
    {
      name: 'permits is left without a TTL',
      breaks: 'nothing is left behind',
      from: '      keep(semaphore, semaphore.permitsKey)\n',
      to: '',
    },
    {
      name: 'clients is left without a TTL',
      breaks: 'nothing is left behind',
      from: '    keep(semaphore, semaphore.clientsKey)\n',
      to: '',
    },
    {
      name: 'TTLs are not given anew',
      breaks: 'nothing is left behind',
      from: 'isStale = nowMs - semaphore.freshAtMs >= semaphore.retentionMs / 8',
      to: 'isStale = semaphore.freshAtMs == 0',
    },
    {
      name: 'numbers that are rare are not searched for',
      breaks: 'time goes on, and never back',
      from: '    semaphore.isRare = 1\n',
      to: '',
    },
    {
      name: 'the longest retention is not remembered',
      breaks: 'keys outlive what they hold',
      from: 'keptMs, freshAtMs, dueMs = retentionMs, 0, 0',
      to: 'freshAtMs, dueMs = 0, 0',
      caughtBy: ['lua/acquire'],
    },
    {
      name: 'time stands still until a clock that was set back has caught up',
      breaks: 'time goes on, and never back',
      from: '    skewUs = skewUs + lastMs * 1000 - nowUs\n',
      to: '',
    },
    {
      name: 'a clock that was set back twice is forgotten once',
      breaks: 'time goes on, and never back',
      from: 'skewUs = skewUs + lastMs * 1000 - nowUs',
      to: 'skewUs = lastMs * 1000 - nowUs',
    },
    {
      name: 'rare callers keep the waiters of the dead for ever',
      breaks: 'guarantee 4: the dead delay the line by one presence time',
      from: 'if lastMs >= graceUntilMs or lastMs - graceSinceMs > 3 * presenceMs then',
      to: 'if lastMs >= graceUntilMs then',
    },
    {
      name: 'the state keeps 14 digits only',
      breaks: 'guarantee 7: tokens rise strictly',
      from: 'numbersFormat, numbers)',
      to: 'numbersFormat, numbers)\n    seq = tonumber(tostring(seq))',
      caughtBy: ['lua/acquire'],
    },
    {
      name: 'numbers fall behind the clock',
      breaks: 'guarantee 7: tokens rise strictly',
      from: 'math.max(semaphore.seq + 1, semaphore.nowUs)',
      to: 'semaphore.seq + 1',
    },
    {
      name: 'the last number is not stored',
      breaks: 'guarantee 7: tokens rise strictly',
      from: 'semaphore.held, semaphore.seq, nowMs,',
      to: 'semaphore.held, semaphore.epoch, nowMs,',
      caughtBy: ['lua/acquire'],
    },
    {
      name: 'the time of the last script is not stored',
      breaks: 'time goes on, and never back',
      from: 'semaphore.held, semaphore.seq, nowMs,',
      to: 'semaphore.held, semaphore.seq, 0,',
      caughtBy: ['lua/acquire'],
    },
  ]),
  ...mutantsOf('lua/shared/clock.lua', 'lua/shared', [
    {
      name: 'time has whole seconds only',
      breaks: 'time goes on, and never back',
      from: 'time[1] * 1000000 + time[2]',
      to: 'time[1] * 1000000',
    },
  ]),
  ...mutantsOf('lua/shared/reply.lua', 'lua/shared', [
    {
      name: 'the time told has whole milliseconds only',
      breaks: 'the bound of the clocks keeps µs',
      from: "{ 'ok', semaphore.nowUs,",
      to: "{ 'ok', semaphore.nowMs * 1000,",
    },
    {
      name: 'the limit in force is told as the one declared',
      breaks: 'a resize is no mismatch',
      from: 'semaphore.limit, semaphore.declared,',
      to: 'semaphore.limit, semaphore.limit,',
    },
  ]),
];
