import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InvalidOptionsError, SemaphoreClient } from '../../src/index.ts';
import { openClient } from '../support/clients.ts';
import { redisUrl } from '../support/redis.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection } from '../support/until.ts';

refuseStrayErrors();

let client: SemaphoreClient;
beforeAll(() => {
  client = new SemaphoreClient(redisUrl());
});
afterAll(() => client.close());

/** Whatever a JavaScript program may pass. */
const any = (value: unknown) => value as never;

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

/** It is refused with one sentence that names the option, what came and what is allowed. */
function expectRefusal(error: unknown, option: string, came: string, allowed: string): void {
  expect(error).toBeInstanceOf(InvalidOptionsError);
  expect(error).toMatchObject({ code: 'INVALID_OPTIONS', problems: [expect.any(String)] });
  const [problem] = (error as InvalidOptionsError).problems;
  expect(problem).toBe(`${option} is ${came}, allowed is ${allowed}`);
  expect((error as Error).message).toContain(problem);
}

describe('a semaphore refuses, saying which option, what came and what is allowed,', () => {
  const leaseAtLeast = 'an integer ≥ 100';
  it.each([
    ['limit', -1, '-1', 'an integer ≥ 0'],
    ['limit', 2.5, '2.5', 'an integer'],
    ['limit', Number.NaN, 'NaN', 'an integer'],
    ['limit', Number.POSITIVE_INFINITY, 'Infinity', 'an integer'],
    ['limit', '3', "'3'", 'an integer'],
    ['limit', undefined, 'missing', 'an integer'],
    ['limit', 2 ** 53, '9007199254740992', 'an integer ≤ 9007199254740991'],
    ['leaseMs', 99, '99', leaseAtLeast],
    ['leaseMs', 1000.5, '1000.5', 'an integer'],
    ['leaseMs', 2 ** 31, '2147483648', 'an integer ≤ 2147483647'],
    ['renew', 'yes', "'yes'", 'a boolean'],
    ['maxHoldMs', 0, '0', 'an integer ≥ 1'],
    ['maxWaiting', -1, '-1', 'an integer ≥ 0'],
    ['onLimitMismatch', 'ignore', "'ignore'", "'error' or 'adopt' or 'resize'"],
  ])('%s %s', (option, value, came, allowed) => {
    const options = { limit: 1, [option]: value };
    expectRefusal(
      thrownBy(() => client.semaphore('api', any(options))),
      option,
      came,
      allowed,
    );
    expectRefusal(
      thrownBy(() => client.boundedSemaphore('api', any(options))),
      option,
      came,
      allowed,
    );
  });

  it('an option that it does not know, so that a misspelt one is found', () => {
    const error = thrownBy(() => client.semaphore('api', any({ limit: 1, lease: 1000 })));
    expect(error).toMatchObject({ problems: ['lease is not an option'], semaphore: 'api' });
  });

  it.each([undefined, null, 5, 'limit'])('%s instead of options', (options) => {
    expect(thrownBy(() => client.semaphore('api', any(options)))).toBeInstanceOf(InvalidOptionsError);
  });
});

describe('a name may be', () => {
  it.each([
    ['200 characters', 'x'.repeat(200)],
    ['200 characters that need two units each', '🚗'.repeat(200)],
    ['any unicode, spaces, colons, quotes and slashes', 'a:b c/d"e\'f\\g 🚗 ünï %00 $1'],
  ])('%s', async (_what, name) => {
    const permit = await openClient().semaphore(name, { limit: 1 }).acquire();
    expect(permit.isHeld).toBe(true);
  });

  it.each([
    ['empty', '', "''", 'at least one character'],
    ['201 characters', 'x'.repeat(201), `'${'x'.repeat(60)}…'`, 'at most 200 characters'],
    ['with an opening brace', 'a{b', "'a{b'", 'no braces and control characters'],
    ['with a closing brace', 'a}b', "'a}b'", 'no braces and control characters'],
    ['with a line feed', 'a\nb', "'a\uFFFDb'", 'no braces and control characters'],
    ['with an escape', 'a\u001b[31m', "'a\uFFFD[31m'", 'no braces and control characters'],
    ['with a zero', 'a\0', "'a\uFFFD'", 'no braces and control characters'],
    ['with half a surrogate pair', 'a\ud83d', "'a\ud83d'", 'well-formed unicode (no lone surrogates)'],
    ['no string', 7, '7', 'a string'],
    ['missing', undefined, 'missing', 'a string'],
  ])('not %s', (_what, name, came, allowed) => {
    const error = thrownBy(() => client.semaphore(any(name), { limit: 1 }));
    expectRefusal(error, 'it', came, allowed);
    expect((error as Error).message).toMatch(/^Bad semaphore name: /);
  });
});

describe('acquire rejects, not throws, and says which option, what came and what is allowed, for', () => {
  it.each([
    ['weight', 0, '0', 'an integer ≥ 1'],
    ['weight', 1.5, '1.5', 'an integer'],
    ['leaseMs', 50, '50', 'an integer ≥ 100'],
    ['renew', 1, '1', 'a boolean'],
    ['timeoutMs', -1, '-1', 'an integer ≥ 0'],
    ['timeoutMs', Number.POSITIVE_INFINITY, 'Infinity', 'an integer'],
    ['signal', {}, 'an object', 'an AbortSignal'],
  ])('%s %s', async (option, value, came, allowed) => {
    const semaphore = client.semaphore('api', { limit: 1 });
    const options = any({ [option]: value });
    for (const call of [
      () => semaphore.acquire(options),
      () => semaphore.run(() => {}, options),
      () => semaphore.map(['an item'], () => {}, options),
    ]) {
      expectRefusal(await rejection(call()), option, came, allowed);
    }
  });

  it('tryAcquire with a timeout, which it has none of', async () => {
    const semaphore = client.semaphore('api', { limit: 1 });
    const error = await rejection(semaphore.tryAcquire(any({ timeoutMs: 10 })));
    expect(error).toMatchObject({ problems: ['timeoutMs is not an option'] });
  });

  it('resize, renew, inspect and release given what they cannot use', async () => {
    const own = openClient();
    const semaphore = own.semaphore('api', { limit: 1 });
    const permit = await semaphore.acquire();
    expectRefusal(await rejection(semaphore.resize(-1)), 'limit', '-1', 'an integer ≥ 0');
    expectRefusal(await rejection(permit.renew(5)), 'leaseMs', '5', 'an integer ≥ 100');
    expectRefusal(await rejection(semaphore.inspect({ pageSize: 0 })), 'pageSize', '0', 'an integer ≥ 1');
    expectRefusal(await rejection(own.inspect('api', { page: -1 })), 'page', '-1', 'an integer ≥ 0');
    for (const wrong of [null, {}, { id: 7 }, { id: '' }, 'an id']) {
      expect(await rejection(semaphore.release(any(wrong)))).toMatchObject({ code: 'INVALID_OPTIONS' });
    }
    expect(permit.isHeld).toBe(true);
    expect((await semaphore.inspect()).held).toBe(1);
  });
});

describe('a client refuses', () => {
  it.each([
    ['presenceMs', 99, '99', 'an integer ≥ 100'],
    ['retentionMs', 10, '10', 'an integer ≥ 1000'],
    ['unavailableAfterMs', 0, '0', 'an integer ≥ 1'],
    ['attemptTimeoutMs', 1, '1', 'an integer ≥ 10'],
    ['prefix', 'a{b}', "'a{b}'", 'no braces and control characters'],
    ['prefix', '', "''", 'at least one character'],
    ['label', 'a/b', "'a/b'", 'no slashes, braces and control characters'],
    ['label', 'x'.repeat(51), `'${'x'.repeat(51)}'`, 'at most 50 characters'],
  ])('%s %s', (option, value, came, allowed) => {
    expectRefusal(
      thrownBy(() => new SemaphoreClient(redisUrl(), { [option]: value })),
      option,
      came,
      allowed,
    );
  });

  it.each([
    ['no url at all', 'localhost'],
    ['a host and port without scheme', 'localhost:6379'],
    ['another protocol', 'http://localhost:6379'],
    ['an empty string', ''],
  ])('%s, saying what a url looks like', (_what, url) => {
    const error = thrownBy(() => new SemaphoreClient(url)) as InvalidOptionsError;
    expect(error.code).toBe('INVALID_OPTIONS');
    expect(error.message).toContain(`the url is '${url}', allowed is redis://host:port, rediss://host:port`);
  });

  it('a bad url without showing the password in it', () => {
    const error = thrownBy(() => new SemaphoreClient('https://me:secret@localhost')) as Error;
    expect(error.message).toContain('localhost');
    expect(error.message).not.toContain('secret');
  });

  it.each([[null], [undefined], [{}], [6379], [() => {}], [{ status: 'ready', evalsha: 1 }]])(
    '%s as a connection',
    (wrong) => {
      expect(thrownBy(() => new SemaphoreClient(any(wrong)))).toMatchObject({
        code: 'INVALID_OPTIONS',
        message: expect.stringContaining('allowed is a redis:// or rediss:// url, a connection of ioredis'),
      });
    },
  );
});
