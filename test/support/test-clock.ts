import { createHash } from 'node:crypto';
import { compose } from '../../scripts/compose-lua.ts';
import type { RedisConnection } from '../../src/redis/connection.ts';
import { adaptIoredis } from '../../src/redis/ioredis.ts';
import type { IoredisLike } from '../../src/redis/ioredis-like.ts';
import * as embedded from '../../src/redis/lua.generated.ts';
import { runScript, type Script } from '../../src/redis/script.ts';

/** The server's time as the scripts see it, in a test's hand: leases end and presences pass without any sleep. */
export class TestClock {
  /** Not a whole millisecond, as no real time is. */
  nowUs = 1_900_000_000_000_617;

  /** What scripts call now in ms, as long as the clock was not set back. */
  get nowMs(): number {
    return Math.floor(this.nowUs / 1000);
  }

  /** Lets time pass; a negative number sets the clock back. */
  advance(ms: number): void {
    this.nowUs += Math.round(ms * 1000);
  }
}

/**
 * The text of one script, with `serverTimeUs` of `lua/shared/clock.lua` replaced: it reads the time at the end of the last
 * key, which `testClockConnection` adds to each call. So each call has a time of its own, nothing is stored, and a
 * server that is out of memory can still be told the time.
 */
export function composeWithTestClock(name: string): string {
  const clock = /^local function serverTimeUs\(\)\n[\s\S]*?\nend$/gm;
  const text = compose(name);
  if (text.match(clock)?.length !== 1) {
    throw new Error(`Script ${name} should include shared/clock, with serverTimeUs in it, exactly once.`);
  }
  return text.replace(
    clock,
    () => "local function serverTimeUs()\n  return tonumber(string.match(KEYS[#KEYS], '%d+$'))\nend",
  );
}

const onTestClock = new Map<string, Script>(
  Object.values(embedded).map(({ name, sha }) => {
    const text = composeWithTestClock(name);
    return [sha, { name, text, sha: createHash('sha1').update(text).digest('hex') }];
  }),
);

/**
 * A connection over a borrowed one that runs, for each of the embedded scripts, its text as it stands in `lua/` with
 * the test's clock instead of the server's. Scripts that it does not know it refuses.
 */
export function testClockConnection(redis: IoredisLike, clock: TestClock): RedisConnection {
  const connection = adaptIoredis(redis, false, { ready() {}, error() {} });
  return {
    ...connection,
    evalsha(sha, keys, args) {
      const script = onTestClock.get(sha);
      if (script === undefined) {
        return Promise.reject(new Error(`${sha} is not the hash of an embedded script.`));
      }
      return runScript(connection, script, [...keys, timeKey(keys, clock)], args);
    },
    eval: () => Promise.reject(new Error('On a test clock, scripts are run by their hash.')),
  };
}

/** No key of the semaphore, but with its hash tag, as Redis Cluster asks of all keys of a call. */
function timeKey([first = '']: readonly string[], clock: TestClock): string {
  return first.replace(/[^:]*$/, `now:${clock.nowUs}`);
}
