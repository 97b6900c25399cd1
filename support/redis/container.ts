import { RedisContainer } from '@testcontainers/redis';
import { type ContainerRuntimeClient, getContainerRuntimeClient, ImageName } from 'testcontainers';
import { onFreePort } from './free-port.ts';
import { type ContainerJob, type OwnedServer, redisConf } from './job.ts';

/** Enough for a first pull over a slow line; after it, the next way gets its turn. */
const pullLimitMs = 120_000;

const startLimitMs = 30_000;

/** How long a container with a folder to keep may take to write its data before it is killed. */
const farewellLimitMs = 10_000;

const confPath = '/parkade-redis.conf';

/**
 * Starts a Redis in a container that publishes its port on the loopback interface only.
 *
 * @throws if the image can't be had within 2 minutes, or the container doesn't get ready within 30 s; no
 *   container is left behind then
 */
export async function startContainer(job: ContainerJob): Promise<OwnedServer> {
  // Ryuk, testcontainers' own watchdog, needs one more image and would do this process's work again.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';

  const runtime = await getContainerRuntimeClient();
  await pull(runtime, job.image);
  return onFreePort(job.settings.port, (port) => run(runtime, job, port));
}

async function pull(runtime: ContainerRuntimeClient, image: string): Promise<void> {
  const limit = new Promise<never>((_resolve, reject) => {
    const tooLong = new Error(`image ${image} wasn't pulled in ${pullLimitMs / 1000} s`);
    setTimeout(() => reject(tooLong), pullLimitMs).unref();
  });
  const pulled = runtime.image.pull(ImageName.fromString(image), { force: false, platform: undefined });
  await Promise.race([pulled, limit]);
}

async function run(runtime: ContainerRuntimeClient, job: ContainerJob, port: number): Promise<OwnedServer> {
  const { config, dir } = job.settings;
  const { host } = runtime.info.containerRuntime;
  // On another host, or seen from inside a container, the published port isn't on this loopback interface.
  const isLocal = host === 'localhost' || host === '127.0.0.1';

  const container = new PublishedRedis(job.image, isLocal ? '127.0.0.1' : '', port);
  // Inside the container it listens to all: only what is published can be reached from outside.
  const conf = redisConf({ ...config, 'protected-mode': 'no', port: '6379' });
  container
    .withCopyContentToContainer([{ content: conf, target: confPath }])
    .withCommand(['redis-server', confPath])
    .withStartupTimeout(startLimitMs);
  if (dir !== undefined) {
    container.withBindMounts([{ source: dir, target: '/data' }]).withUser(owner());
  }

  try {
    const started = await container.start();
    return {
      url: `redis://${isLocal ? '127.0.0.1' : host}:${port}`,
      pid: undefined,
      gone: new Promise(() => {}),
      async stop() {
        // Its data may be written first, where it is kept; a container that is gone already is all right.
        if (dir !== undefined)
          await started.stop({ timeout: farewellLimitMs, remove: false }).catch(() => {});
        await container.remove(runtime);
      },
    };
  } catch (error) {
    await container.remove(runtime);
    throw new Error(`${error instanceof Error ? error.message.trim() : error} ${container.lastWords}`.trim());
  }
}

/** The user who runs this, so that what the container writes into the folder is theirs to delete. */
function owner(): string {
  return `${process.getuid?.()}:${process.getgid?.()}`;
}

/** testcontainers can fix the port of the host, but not the interface; and it leaves behind what didn't start. */
class PublishedRedis extends RedisContainer {
  #id: string | undefined;
  #log = '';

  constructor(image: string, hostIp: string, hostPort: number) {
    super(image);
    this.withLogConsumer((log) => log.on('data', (line) => (this.#log += line)));
    this.hostConfig.PortBindings = { '6379/tcp': [{ HostIp: hostIp, HostPort: String(hostPort) }] };
  }

  protected override async containerCreated(id: string): Promise<void> {
    this.#id = id;
  }

  /** Kills it, if it runs, and removes it, if it is still there. */
  async remove(runtime: ContainerRuntimeClient): Promise<void> {
    if (this.#id === undefined) return;
    const container = runtime.container.getById(this.#id);
    await container.remove({ force: true, v: true }).catch((error) => {
      if (error.statusCode !== 404) throw error;
    });
  }

  /** The end of what the server said. */
  get lastWords(): string {
    return this.#log.trim().split('\n').slice(-3).join(' | ');
  }
}
