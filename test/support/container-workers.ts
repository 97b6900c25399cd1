import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { transform } from 'esbuild';
import {
  type ContainerRuntimeClient,
  GenericContainer,
  getContainerRuntimeClient,
  type StartedNetwork,
} from 'testcontainers';
import type { Answer, Request } from '../processes/worker.ts';
import { type Place, Worker } from './workers.ts';

type Container = ReturnType<ContainerRuntimeClient['container']['getById']>;

/** A worker in a container of its own, with its own address on the network of the test, from which it can be cut. */
export class ContainerWorker extends Worker {
  readonly #network: StartedNetwork;
  readonly #container: Container;

  private constructor(place: InContainer, container: Container, network: StartedNetwork) {
    super(place);
    this.#container = container;
    this.#network = network;
  }

  static async start(network: StartedNetwork): Promise<ContainerWorker> {
    const { container: containers } = await getContainerRuntimeClient();
    const source = readFileSync(new URL('../processes/worker.ts', import.meta.url), 'utf8');
    const { code } = await transform(source, { loader: 'ts', format: 'esm' });
    const started = await new AttachableContainer('parkade-pods')
      .withCopyContentToContainer([{ content: code, target: '/app/test-worker.mjs' }])
      .withCommand(['node', 'test-worker.mjs'])
      .withNetwork(network)
      .start();
    const container = containers.getById(started.getId());
    return new ContainerWorker(await InContainer.attach(container), container, network);
  }

  /** `docker network disconnect`: its packets go nowhere, and none come. */
  async cut(): Promise<void> {
    const { docker, network } = await this.#ends();
    await docker.getNetwork(network).disconnect({ Container: this.#container.id });
  }

  /** `docker network connect` */
  async join(): Promise<void> {
    const { docker, network } = await this.#ends();
    await docker.getNetwork(network).connect({ Container: this.#container.id });
  }

  async #ends() {
    const { container } = await getContainerRuntimeClient();
    return { docker: container.dockerode, network: this.#network.getId() };
  }
}

/** It has a stdin, which closes when the test's process is gone. */
class AttachableContainer extends GenericContainer {
  constructor(image: string) {
    super(image);
    Object.assign(this.createOpts, { OpenStdin: true, StdinOnce: true });
    this.hostConfig.AutoRemove = true;
  }
}

class InContainer implements Place {
  readonly #container: Container;
  readonly #stream: NodeJS.ReadWriteStream;
  readonly #lines = new PassThrough();

  private constructor(container: Container, stream: NodeJS.ReadWriteStream) {
    this.#container = container;
    this.#stream = stream;
    container.modem.demuxStream(stream, this.#lines, process.stderr);
  }

  static async attach(container: Container): Promise<InContainer> {
    const all = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
    return new InContainer(container, await container.attach(all));
  }

  listen(hear: (answer: Answer) => void, ended: () => void): void {
    createInterface(this.#lines).on('line', (line) => hear(JSON.parse(line)));
    this.#stream.once('end', ended);
    this.#stream.on('error', ended);
  }

  send(request: Request): void {
    this.#stream.write(`${JSON.stringify(request)}\n`);
  }

  pause(): Promise<void> {
    return this.#container.pause();
  }

  go(): Promise<void> {
    return this.#container.unpause();
  }

  /** It removes itself. */
  async kill(): Promise<void> {
    await Promise.all([
      this.#container.wait({ condition: 'removed' }).catch(refuseUnlessGone),
      this.#container.kill().catch(refuseUnlessGone),
    ]);
  }
}

function refuseUnlessGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}
