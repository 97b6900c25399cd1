import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/**
 * Hears every command that a server executes from now on, as MONITOR has it: a line each. By a socket of its own, since
 * ioredis's `monitor()` fails where others talk to the same server: a line that comes with the reply is taken for another.
 */
export async function monitor(url: string, hear: (line: string) => void): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.write('MONITOR\r\n');
  const lines = createInterface(socket);
  await new Promise((resolve, reject) => {
    socket.once('error', reject);
    lines.once('line', resolve);
  });
  lines.on('line', hear);
}
