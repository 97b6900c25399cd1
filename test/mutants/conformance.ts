import type { Mutant } from './mutant.ts';

const caughtBy = ['test/conformance'];

/** Ways to be another semaphore than asyncio's. */
export const conformanceMutants: readonly Mutant[] = [
  {
    name: 'a release removes nothing',
    breaks: 'test_semaphore, test_acquire_hang, test_acquire_no_hang, test_release_no_waiters',
    file: 'lua/release.lua',
    from: "return { [own[1]] = redis.call('ZREM', permitsKey, own[1]) == 1 }",
    to: 'return {}',
    caughtBy,
  },
  {
    name: 'nothing is handed off',
    breaks: 'test_acquire, test_acquire_cancel_before_awoken, test_cancel_race and the like',
    file: 'lua/shared/hand-off.lua',
    from: '  if not semaphore.hasLine then\n    return {}\n  end\n',
    to: '  if semaphore then\n    return {}\n  end\n',
    caughtBy,
  },
  {
    name: 'the line is served from its end',
    breaks: 'test_acquire_fifo_order, test_acquire_fifo_order_2 to 4',
    file: 'lua/shared/hand-off.lua',
    from: "redis.call('ZRANGE', semaphore.waitersKey, 0, size - 1)",
    to: "redis.call('ZREVRANGE', semaphore.waitersKey, 0, size - 1)",
    caughtBy,
  },
  {
    name: 'newcomers queue at the head',
    breaks: 'test_acquire_fifo_order, test_acquire_fifo_order_2 to 4',
    file: 'lua/acquire.lua',
    from: 'add(newWaiters, ticket, record)',
    to: 'add(newWaiters, -ticket, record)',
    caughtBy,
  },
  {
    name: 'a negative limit is allowed',
    breaks: 'test_semaphore_value',
    file: 'src/settings.ts',
    from: '  limit: count(0),\n  leaseMs',
    to: '  limit: z.int(),\n  leaseMs',
    caughtBy,
  },
  {
    name: 'printing leaves out who waits',
    breaks: 'test_repr',
    file: 'src/semaphore.ts',
    from: '.waiting} waiting here',
    to: '.waiting * 0} waiting here',
    caughtBy,
  },
  {
    name: 'a bounded one that is released too often gains a unit',
    breaks: 'test_release_not_acquired',
    file: 'src/bounded-semaphore.ts',
    from: "    throw new PermitNotHeldError(this.name, undefined, 0, 'it was released too many times, nothing is held');",
    to: '    return super.releaseWithout();',
    caughtBy,
  },
];
