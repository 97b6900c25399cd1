import { createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { UnsupportedServerError } from '../../src/index.ts';
import { openClient } from '../support/clients.ts';
import { refuseStrayErrors } from '../support/stray-errors.ts';
import { rejection, timed } from '../support/until.ts';

refuseStrayErrors();

/** Something that speaks just enough of Redis's protocol to say which version it is, and counts what it is asked. */
async function fakeServer(version: string): Promise<{ url: string; asked: string[] }> {
  const info = `redis_version:${version}\r\nredis_mode:standalone\r\nloading:0\r\n`;
  const asked: string[] = [];
  const answer = (command: string) => {
    switch (command) {
      case 'INFO':
        return `$${info.length}\r\n${info}\r\n`;
      case 'CLIENT':
        return '+OK\r\n';
      default:
        return `-ERR unknown command '${command}'\r\n`;
    }
  };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      for (const request of bytes.toString('latin1').split(/^(?=\*)/m)) {
        const command = request.split('\r\n')[2]?.toUpperCase() ?? '';
        asked.push(command);
        socket.write(answer(command));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { url: `redis://127.0.0.1:${(server.address() as { port: number }).port}`, asked };
}

it.each(['5.0.7', '6.0.16', '2.8.24'])(
  'a server of version %s is refused at once, with what is needed',
  async (version) => {
    const { url, asked } = await fakeServer(version);
    const semaphore = openClient({ connection: url }).semaphore('api', { limit: 1 });
    const calls = [
      () => semaphore.acquire(),
      () => semaphore.tryAcquire(),
      () => semaphore.inspect(),
      () => semaphore.resize(1),
      () => semaphore.release(),
    ];
    for (const call of calls) {
      const request = call();
      expect(await timed(request)).toBeLessThan(2_000);
      const error = await rejection(request);
      expect(error).toBeInstanceOf(UnsupportedServerError);
      expect(error).toMatchObject({ code: 'UNSUPPORTED_SERVER', version, minimum: '6.2' });
      expect((error as Error).message).toContain(`${new URL(url).host} is version ${version}`);
    }
    expect(asked).not.toContain('EVALSHA');
    expect(asked).not.toContain('EVAL');
  },
);

it.each(['6.2.0', '7.4.1', '10.0.0'])('a server of version %s is asked', async (version) => {
  const { url, asked } = await fakeServer(version);
  const error = await rejection(openClient({ connection: url }).semaphore('api', { limit: 1 }).acquire());
  expect(error).toMatchObject({
    code: 'REDIS_REFUSED',
    cause: { message: expect.stringMatching(/unknown command/i) },
  });
  expect(asked).toContain('EVALSHA');
});
