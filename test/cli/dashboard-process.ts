import { until } from '../support/until.ts';
import { type Started, start } from './command.ts';

export interface Dashboard extends Started {
  /** Without the token. */
  readonly url: string;
  /** As it was printed. */
  readonly printed: string;
  readonly token: string | undefined;
  /** What it has said on stderr so far. */
  said(): string;
}

/** Starts a dashboard on a free port; resolves when it listens. */
export async function startDashboard(
  args: readonly string[],
  env?: Record<string, string>,
): Promise<Dashboard> {
  const started = await start(['dashboard', '--port', '0', ...args], env);
  let said = '';
  started.child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const [, printed = ''] = await until('it listens', () => /dashboard at (http:\S+)\n/.exec(said));
  const { origin, hash } = new URL(printed);
  const [, token] = /^#token=(.+)$/.exec(hash) ?? [];
  return { ...started, url: origin, printed, token, said: () => said };
}
