import { UnsupportedServerError } from '../errors.ts';
import type { RedisConnection } from './connection.ts';

/** The oldest server that runs the scripts as they are meant. */
const minimumVersion = '6.2';

/**
 * The same connection, which asks the server for its version before the first script, and refuses every script with
 * `UnsupportedServerError` if it is too old. A server that does not let us ask is trusted.
 */
export function withVersionCheck(connection: RedisConnection): RedisConnection {
  let isGood = false;
  let check: Promise<void> | undefined;
  const checked = () => {
    check ??= checkVersion(connection).then(
      () => {
        isGood = true;
      },
      (error) => {
        check = undefined;
        throw error;
      },
    );
    return check;
  };
  return {
    ...connection,
    evalsha: (sha, keys, args) =>
      isGood
        ? connection.evalsha(sha, keys, args)
        : checked().then(() => connection.evalsha(sha, keys, args)),
  };
}

async function checkVersion(connection: RedisConnection): Promise<void> {
  let info: string;
  try {
    info = await connection.serverInfo();
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('NOPERM')) {
      return;
    }
    throw error;
  }
  const version = /^redis_version:(\S+)/m.exec(info)?.[1];
  if (version !== undefined && isOlder(version, minimumVersion)) {
    throw new UnsupportedServerError(version, minimumVersion, connection.address);
  }
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = than.split('.').map(Number);
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
