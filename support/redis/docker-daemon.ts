import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Loopback and local sockets answer within milliseconds; a daemon that is stuck isn't waited for. */
const answerLimitMs = 1_500;

/**
 * Resolves with the address of a Docker daemon that answers: the one that DOCKER_HOST names, else the first of
 * the sockets where a daemon usually listens. Undefined if none does.
 */
export async function findDockerDaemon(): Promise<string | undefined> {
  for (const address of addresses()) {
    if (await answers(address)) return address;
  }
  return undefined;
}

function addresses(): string[] {
  const named = process.env['DOCKER_HOST'];
  if (named) return [named];
  const runtimeFolder = process.env['XDG_RUNTIME_DIR'] || `/run/user/${process.getuid?.()}`;
  return [
    '/var/run/docker.sock',
    join(runtimeFolder, 'docker.sock'),
    join(homedir(), '.docker/run/docker.sock'),
    join(homedir(), '.docker/desktop/docker.sock'),
  ]
    .filter(existsSync)
    .map((socket) => `unix://${socket}`);
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ ...target(address), path: '/_ping', timeout: answerLimitMs }, (response) => {
      // Any answer will do: to plain HTTP, a daemon that wants TLS answers with 400.
      response.resume();
      resolve(true);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

function target(address: string): { socketPath: string } | { host: string; port: string } {
  const { protocol, hostname, port, pathname } = new URL(address);
  return protocol === 'unix:' ? { socketPath: pathname } : { host: hostname, port: port || '2375' };
}
