import { describe, expect, it } from 'vitest';
import { parseUrl } from '../../src/redis/url.ts';

const tls = { ca: 'certificate' };

describe('a url', () => {
  it.each([
    ['redis://:pw@host:1/2', { kind: 'server', url: 'redis://:pw@host:1/2' }],
    ['rediss://host', { kind: 'server', url: 'rediss://host', tls }],
    ['unix:///run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
    ['/run/redis.sock', { kind: 'socket', path: '/run/redis.sock' }],
  ])('%s leads to one server', (text, target) => {
    expect(parseUrl(text, tls)).toEqual(target);
  });

  it.each([
    [
      'redis-sentinel://a,b:1,[::1]:2/main',
      {
        sentinels: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 1 },
          { host: '::1', port: 2 },
        ],
        group: 'main',
        db: 0,
      },
    ],
    [
      'rediss-sentinel://me:p%40:x@a/m%20n/3?sentinelUsername=su&sentinelPassword=s%26p',
      {
        sentinels: [{ host: 'a', port: 26379 }],
        group: 'm n',
        db: 3,
        username: 'me',
        password: 'p@:x',
        sentinelUsername: 'su',
        sentinelPassword: 's&p',
        tls,
      },
    ],
  ])('%s leads to a Sentinel group', (text, target) => {
    expect(parseUrl(text, tls)).toEqual({ kind: 'sentinel', ...target });
  });

  it.each([
    [
      'redis-cluster://a:7000,b/',
      {
        nodes: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 6379 },
        ],
      },
    ],
    ['rediss-cluster://:pw@a', { nodes: [{ host: 'a', port: 6379 }], password: 'pw', tls }],
  ])('%s leads to a Cluster', (text, target) => {
    expect(parseUrl(text, tls)).toEqual({ kind: 'cluster', ...target });
  });

  it.each([
    ['redis-sentinel://a:1', 'names no group'],
    ['redis-sentinel://a:1/main/x', 'names no group'],
    ['redis-sentinel:///main', "'' is no host:port"],
    ['redis-cluster://a:1,', "'' is no host:port"],
    ['redis-cluster://a:0', "'a:0' is no host:port"],
    ['redis-cluster://a:70000', "'a:70000' is no host:port"],
    ['redis-cluster://a:1/2', 'database 0'],
    ['redis-cluster://u:%zz@a:1', 'hexadecimal'],
    ['redis-sentinel://a/main?tls=1', "'tls' is not a parameter"],
    ['http://a', 'allowed is redis://host:port'],
  ])('%s is refused, saying why', (text, why) => {
    expect(() => parseUrl(text)).toThrow(why);
  });

  it.each([
    'redis-cluster://me:top/secret@a:x',
    'redis-sentinel://a?sentinelPassword=secret',
    'x://u:secret@a',
  ])('%s is refused without showing the password in it', (text) => {
    expect(() => parseUrl(text)).toThrow(/allowed/);
    expect(() => parseUrl(text)).not.toThrow(/secret/);
  });
});
