import { Redis } from 'ioredis';

/** The least that a server must be for the scripts to run on it. */
const leastVersion = [6, 2] as const;

/**
 * PINGs a server and asks for its name and version, such as "Redis 7.0.15".
 *
 * @throws if it doesn't answer within `limitMs`, refuses, or is older than 6.2
 */
export async function greet(url: string, limitMs: number): Promise<string> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: limitMs,
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  let problem: Error | undefined;
  redis.on('error', (error: Error) => {
    problem ??= error;
  });

  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${limitMs / 1000} s`)), limitMs);
  });
  const greeting = async () => {
    await redis.connect();
    await redis.ping();
    return nameAndVersion(await redis.info('server'));
  };

  try {
    return await Promise.race([greeting(), limit]);
  } catch (error) {
    // What the connection died of says more than that it is closed.
    throw problem ?? error;
  } finally {
    clearTimeout(timer);
    redis.disconnect();
  }
}

function nameAndVersion(info: string): string {
  const valkey = /^valkey_version:(\S+)/m.exec(info)?.[1];
  if (valkey) return `Valkey ${valkey}`;
  const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '0';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < leastVersion[0] || (major === leastVersion[0] && minor < leastVersion[1])) {
    throw new Error(`it is Redis ${version}, and ${leastVersion.join('.')} is the oldest that will do`);
  }
  return `Redis ${version}`;
}
