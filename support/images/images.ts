import { x } from 'tinyexec';
import { standIns } from './stand-ins.ts';

const pullLimitMs = 120_000;

/** The base images of what runs in containers here. */
export const redisImage = 'redis:8-alpine';
export const nodeImage = 'node:22-bookworm-slim';
/** The worker, the API and the command, by examples/pods/Dockerfile. */
const podsImage = 'parkade-pods';

/**
 * Has an image there: one that is, else one that is pulled, else one that is made locally.
 *
 * @throws if neither can be
 */
export async function needImage(name: string, say: (line: string) => void): Promise<void> {
  if (await isThere(name)) return say(`${name} is there`);
  const pulled = await x('docker', ['pull', '--quiet', name], { throwOnError: false, timeout: pullLimitMs });
  if (pulled.exitCode === 0) return say(`${name} is pulled`);
  const make = standIns[name];
  const reason = pulled.stderr.trim().split('\n').at(-1);
  if (make === undefined) throw new Error(`The image ${name} can't be pulled: ${reason}`);
  say(`${name} can't be pulled (${reason}), so it is made here`);
  say(`${name} is made, of ${await make(name)}`);
}

/** Builds the image of examples/pods, of what is checked out. */
export async function buildPodsImage(say: (line: string) => void): Promise<void> {
  say(`${podsImage} is built …`);
  // The network of this machine, since that of a container may know no names.
  const args = ['build', '--network', 'host', '-f', 'examples/pods/Dockerfile', '-t', podsImage, '.'];
  const { exitCode, stdout, stderr } = await x('docker', args, { throwOnError: false });
  if (exitCode !== 0) throw new Error(`docker build failed:\n${stdout}${stderr}`);
  say(`${podsImage} is built`);
}

async function isThere(name: string): Promise<boolean> {
  return (await x('docker', ['image', 'inspect', name], { throwOnError: false })).exitCode === 0;
}
