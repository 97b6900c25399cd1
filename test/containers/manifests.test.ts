import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GenericContainer, Network, type StartedTestContainer, Wait } from 'testcontainers';
import { expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { until } from '../support/until.ts';

// What the manifests for Kubernetes run, in Docker, under the restrictions that they set.

const folder = join(import.meta.dirname, '../../examples/kubernetes');

interface PodSpec {
  readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
  readonly containers: readonly {
    readonly image: string;
    readonly command: string[];
    readonly env?: readonly { readonly name: string; readonly value: string }[];
    readonly readinessProbe?: { readonly exec?: { readonly command: string[] } };
    readonly resources: { readonly limits: { readonly memory: string } };
    readonly securityContext: {
      readonly readOnlyRootFilesystem: boolean;
      readonly capabilities: { readonly drop: string[] };
    };
  }[];
}

const manifests = readdirSync(folder)
  .flatMap((file) => parseAllDocuments(readFileSync(join(folder, file), 'utf8')))
  .map((document) => document.toJS());

function podOf(name: string): PodSpec {
  return manifests.find(({ metadata, spec }) => metadata.name === name && spec?.template).spec.template.spec;
}

class Pod extends GenericContainer {
  constructor(name: string) {
    const { containers, securityContext } = podOf(name);
    const [{ image, command, env = [], resources, securityContext: own }] = containers as [
      PodSpec['containers'][number],
    ];
    super(image.replace(/^(parkade-pods):.*/, '$1'));
    this.withCommand(command)
      .withUser(`${securityContext.runAsUser}:${securityContext.runAsGroup}`)
      .withEnvironment(Object.fromEntries(env.map(({ name, value }) => [name, value])))
      .withNetworkAliases(name)
      .withStartupTimeout(60_000);
    Object.assign(this.hostConfig, {
      ReadonlyRootfs: own.readOnlyRootFilesystem,
      CapDrop: own.capabilities.drop,
      SecurityOpt: ['no-new-privileges'],
      Memory: Number.parseInt(resources.limits.memory, 10) * 2 ** 20,
    });
  }
}

it('what the manifests run works as they have it: as no root, on a root that is read-only, without capabilities, in their memory', async () => {
  const network = await new Network().start();
  const started: StartedTestContainer[] = [];
  const config = mkdtempSync(join(tmpdir(), 'parkade-manifests-'));
  chmodSync(config, 0o755); // every user may read a ConfigMap
  onTestFinished(async () => {
    await Promise.all(started.map((container) => container.stop()));
    await network.stop();
    rmSync(config, { recursive: true });
  });
  const start = async (container: GenericContainer, said: RegExp) => {
    started.push(await container.withNetwork(network).withWaitStrategy(Wait.forLogMessage(said)).start());
    return started.at(-1) as StartedTestContainer;
  };

  const { data } = manifests.find(({ kind }) => kind === 'ConfigMap');
  for (const [file, text] of Object.entries<string>(data)) writeFileSync(join(config, file), text);
  const { runAsUser, runAsGroup } = podOf('redis').securityContext;
  const redis = new Pod('redis')
    .withBindMounts([{ source: config, target: '/etc/redis', mode: 'ro' }])
    .withTmpFs({ '/data': `uid=${runAsUser},gid=${runAsGroup}` });
  const server = await start(redis, /Ready to accept connections/);
  const probe = podOf('redis').containers[0]?.readinessProbe?.exec?.command ?? [];
  expect((await server.exec(probe)).exitCode).toBe(0);

  await start(new Pod('api'), /listens/);
  await start(new Pod('worker'), /works/);
  const exporter = await start(new Pod('parkade-exporter').withExposedPorts(9464), /metrics at/);
  const metrics = `http://${exporter.getHost()}:${exporter.getMappedPort(9464)}/metrics`;
  await until('the exporter sees the worker', async () =>
    /^parkade_semaphore_held\{semaphore="api"\} [1-9]/m.test(await (await fetch(metrics)).text()),
  );
}, 180_000);
