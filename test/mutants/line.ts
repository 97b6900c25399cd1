import { type Mutant, mutantsOf } from './mutant.ts';

/** Ways to break the hand-off: who of the line is served, and with what. */
export const lineMutants: readonly Mutant[] = [
  ...mutantsOf('lua/shared/hand-off.lua', 'lua/release', [
    {
      name: 'a light request overtakes a heavy one at the head',
      breaks: 'load-bearing: strict head',
      from: '            blocked = true\n            break\n',
      to: '            blocked = true\n            token = -1\n',
      caughtBy: ['lua/acquire'],
    },
    {
      name: 'a hand-off gives the whole lease',
      breaks: 'guarantee 4: a waiter that died costs the rest of its presence',
      from: 'leaseMs = math.min(leaseMs, presence[client] - semaphore.nowMs)',
      to: 'leaseMs = leaseMs + 0',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'a hand-off cuts leases that nobody renews',
      breaks: 'firm leases are given in full',
      from: 'if not firm then',
      to: 'if true then',
    },
    {
      name: 'impossible waiters stay at the head for ever',
      breaks: 'a weight over the limit is refused',
      from: 'if weight <= semaphore.limit or semaphore.limit == 0 then',
      to: 'if true then',
      caughtBy: ['lua/resize'],
    },
    {
      name: 'a heavy head goes to the end of the line',
      breaks: 'load-bearing: strict head',
      from: 'local leaving, permits, isNew = 0, {}, semaphore.held == 0\n',
      to: "local leaving, permits, isNew = 0, {}, semaphore.held == 0\n    local _, _, heavy = readRecord(line[1] or '')\n    if heavy and not fits(semaphore, heavy) and heavy <= semaphore.limit then\n      redis.call('ZADD', semaphore.waitersKey, string.format('%.0f', drawNumber(semaphore)), line[1])\n      line = redis.call('ZRANGE', semaphore.waitersKey, 0, size - 1)\n    end\n",
    },
    {
      name: 'a hand-off lease ignores what the record says',
      breaks: 'a hand-off gives the lease of the record at most',
      from: 'math.min(leaseMs, presence[client] - semaphore.nowMs)',
      to: 'presence[client] - semaphore.nowMs',
    },
    {
      name: 'a sweep goes on behind a live head',
      breaks: 'guarantee 5: a live waiter keeps its place',
      from: '          if not fits(semaphore, weight) then\n            blocked = true\n',
      to: "          if not fits(semaphore, weight) then\n            blocked = not sweep\n            if sweep then\n              redis.call('ZREM', semaphore.waitersKey, unpack(line, leaving + 2))\n              blocked = true\n            end\n",
    },
    {
      name: 'who waits for a limit of 0 to be raised is refused',
      breaks: 'with limit 0 one waits for a resize',
      from: 'if weight <= semaphore.limit or semaphore.limit == 0 then',
      to: 'if weight <= semaphore.limit then',
      caughtBy: ['lua/beat'],
    },
    {
      name: 'any number of waiters is served in one call',
      breaks: 'rule 1: bounded work, continued by the next call',
      from: 'semaphore.nowMs + presenceMs }, 500',
      to: 'semaphore.nowMs + presenceMs }, 100000',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'it is not remembered when a waiter was refused',
      breaks: 'waiters that a resize makes impossible are refused',
      from: "          note(semaphore, 'refusedAtMs', semaphore.nowMs)\n",
      to: '',
      caughtBy: ['lua/resize'],
    },
    {
      name: 'what is handed off does not count',
      breaks: 'guarantee 1: never over the limit',
      from: '          semaphore.held = semaphore.held + weight\n',
      to: '',
    },
    {
      name: 'a single record that is handed off stays in line',
      breaks: 'a grant moves the record',
      from: 'if leaving > 0 then',
      to: 'if leaving > 1 then',
    },
    {
      name: 'waiters that are dropped are told',
      breaks: 'guarantee 10: O(1) messages',
      from: '      leaving = leaving + 1\n',
      to: '      leaving = leaving + 1\n      if presence[client] <= semaphore.nowMs then\n        told[client] = { string.sub(record, #client + 2), 0, 0 }\n      end\n',
    },
    {
      name: 'waiters that were too many wait for a beat',
      breaks: 'rule 1: bounded work, continued by the next call',
      from: '(budget <= 0 and not blocked)',
      to: 'false',
      caughtBy: ['lua/shared'],
    },
    {
      name: 'a permit handed off that is the only one has no TTL',
      breaks: 'nothing is left behind',
      from: '      if isNew then\n        keep(semaphore, semaphore.permitsKey)\n      end\n',
      to: '',
    },
    {
      name: 'nothing is handed off',
      breaks: 'test_acquire, test_acquire_cancel_before_awoken, test_cancel_race and the like',
      from: '  if not semaphore.hasLine then\n    return {}\n  end\n',
      to: '  if semaphore then\n    return {}\n  end\n',
      caughtBy: ['conformance'],
    },
    {
      name: 'the line is served from its end',
      breaks: 'test_acquire_fifo_order, test_acquire_fifo_order_2 to 4',
      from: "redis.call('ZRANGE', semaphore.waitersKey, 0, size - 1)",
      to: "redis.call('ZREVRANGE', semaphore.waitersKey, 0, size - 1)",
      caughtBy: ['conformance'],
    },
  ]),
];
