import pc from 'picocolors';
import { x } from 'tinyexec';
import { buildPodsImage, needImage, nodeImage, redisImage } from '../support/images/images.ts';
import { findDockerDaemon } from '../support/redis/docker-daemon.ts';

const help = `npm run test:containers -- [FILES, or other arguments of vitest]

Runs tests in containers: workers on a network that is cut from Redis and joined again, killed, paused and stopped, what
examples/kubernetes runs (test/containers), and the tests of scripts and client against Redis in a container. Needs a
running Docker daemon. Images that can't be pulled are made locally, see \`npm run images -- --help\`. Takes some minutes.

  npm run test:containers -- test/containers     only workers and manifests`;

const args = process.argv.slice(2);

if (args.includes('--help') || args.includes('-h')) {
  console.log(help);
} else {
  try {
    process.exitCode = await run();
  } catch (error) {
    console.error(pc.red(error instanceof Error ? error.message : String(error)));
    process.exitCode = 1;
  }
}

async function run(): Promise<number> {
  const daemon = await findDockerDaemon();
  if (daemon === undefined) {
    throw new Error('No Docker daemon answers. Start one, or set DOCKER_HOST to where it is.');
  }
  process.env['DOCKER_HOST'] ??= daemon;
  const say = (line: string) => console.log(line);
  await needImage(redisImage, say);
  await needImage(nodeImage, say);
  await buildPodsImage(say);
  const env = {
    PARKADE_TESTS: 'containers',
    PARKADE_REDIS: 'docker',
    // Ryuk, testcontainers' own watchdog, needs one more image; what is started here is stopped here.
    TESTCONTAINERS_RYUK_DISABLED: 'true',
  };
  const tests = await x('vitest', ['run', ...args], {
    nodeOptions: { stdio: 'inherit', env: { ...process.env, ...env } },
    throwOnError: false,
  });
  return tests.exitCode ?? 1;
}
