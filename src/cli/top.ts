import type { Command } from 'commander';
import { exitCodes } from './exit-codes.ts';
import { Failure, failureOf } from './failure.ts';
import { FullScreen } from './full-screen.ts';
import { type RedisFlags, redisCommand, withClient } from './redis.ts';
import { drawTop, inOrder, type Order, orders, type View } from './top-view.ts';
import { duration } from './values.ts';
import { Watch } from './watch.ts';

interface TopFlags extends RedisFlags {
  readonly interval: number;
  readonly json?: boolean;
}

const help = `
Keys: arrows (or j, k), page up and down pick a semaphore, enter shows who holds it and who waits, esc goes back; u, l, w, g, n
sort by use, line, longest wait, grants, name; q quits.

GRANTS/S counts the permits that were not there at the look before, over the last 10 s. Those that came and went between two
looks are not seen, so it is a lower bound; ? stands where more than 200 permits are held. Looking writes nothing: each look
reads every semaphore once, and new ones are found as list does, with a rest of ten times as long as that took.

With --json it needs no terminal: one object a look, { at, semaphores: [{ name, limit, held, available, holding, waiting,
oldestWaitMs, grantsPerS }] }, grantsPerS null where it is not known; from when all have been found, until SIGINT or SIGTERM.

Examples:
  parkade top
  parkade top 'jobs:*' --interval 250ms
  parkade top --json | jq -c '.semaphores[] | select(.waiting > 100) | .name'`;

export function topCommand(): Command {
  return redisCommand('top')
    .summary('all semaphores live, full-screen')
    .description(
      'Shows all semaphores live: use, line, longest wait, grants; and of one, who holds and who waits.',
    )
    .argument('[pattern]', "only names that fit, as in Redis: 'jobs:*'", '*')
    .option('--interval <duration>', 'from look to look', duration, 1_000)
    .option('--json', 'one JSON object a look')
    .addHelpText('after', help)
    .action(async (pattern: string, { interval: intervalMs, json, ...flags }: TopFlags) => {
      if (!json && (!process.stdin.isTTY || !process.stdout.isTTY)) {
        throw new Failure('top needs a terminal; without one, use parkade top --json', exitCodes.usage);
      }
      if (intervalMs < 100) {
        throw new Failure(`--interval is ${intervalMs} ms, allowed are 100 ms and more`, exitCodes.usage);
      }
      const show = json ? topInLines : topOnScreen;
      await withClient(flags, (client) => show(new Watch(client, pattern), intervalMs));
    });
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ends at a signal, with 0, or when Redis does not answer. */
async function topInLines(watch: Watch, intervalMs: number): Promise<void> {
  const quit = new AbortController();
  for (const signal of signals) process.once(signal, () => quit.abort());
  while (!quit.signal.aborted) {
    await Promise.race([watch.look(), aborted(quit.signal)]);
    if (watch.isComplete && !quit.signal.aborted) {
      const semaphores = watch.sights.map(({ snapshot, grantsPerS = null }) => {
        const { exists: _, holders: __, waiters: ___, ...numbers } = snapshot;
        return { ...numbers, grantsPerS };
      });
      console.log(JSON.stringify({ at: new Date(), semaphores }));
    }
    await rest(watch.isComplete ? intervalMs : 100, quit.signal);
  }
}

async function topOnScreen(watch: Watch, intervalMs: number): Promise<void> {
  const quit = new AbortController();
  let view: View = {
    order: 'u',
    picked: undefined,
    isOpen: false,
    scrolled: 0,
    failure: undefined,
    isComplete: false,
  };
  let screen: FullScreen | undefined;
  const draw = () => {
    const sights = inOrder(watch.sights, view.order);
    view = {
      ...view,
      isComplete: watch.isComplete,
      picked: sights.some(({ snapshot }) => snapshot.name === view.picked)
        ? view.picked
        : sights[0]?.snapshot.name,
    };
    screen?.draw(drawTop(sights, view, screen.rows, screen.columns));
  };
  const end = () => quit.abort();
  const key = (name: string) => {
    if (name === 'q' || name === 'ctrl+c' || name === 'ctrl+d') {
      end();
      return;
    }
    const names = inOrder(watch.sights, view.order).map(({ snapshot }) => snapshot.name);
    view = afterKey(name, view, names, screen?.rows ?? 24);
    draw();
  };
  for (const signal of signals) process.once(signal, end);
  screen = new FullScreen({ key, redraw: draw });
  try {
    while (!quit.signal.aborted) {
      const looked = watch.look().then(
        () => undefined,
        (error: unknown) => failureOf(error).message,
      );
      const failure = await Promise.race([looked, aborted(quit.signal)]);
      view = { ...view, failure };
      if (!quit.signal.aborted) {
        draw();
      }
      await rest(watch.isComplete || failure ? intervalMs : 100, quit.signal);
    }
  } finally {
    screen.close();
    for (const signal of signals) process.off(signal, end);
  }
}

/** What a key changes. */
function afterKey(key: string, view: View, names: readonly string[], rows: number): View {
  const step = { up: -1, k: -1, down: 1, j: 1, pageup: 5 - rows, pagedown: rows - 5 }[key];
  if (step !== undefined && view.isOpen) {
    return { ...view, scrolled: Math.max(0, view.scrolled + step) };
  }
  if (step !== undefined) {
    const at = names.indexOf(view.picked ?? '') + step;
    return { ...view, picked: names[Math.min(names.length - 1, Math.max(0, at))] };
  }
  if (key === 'return' || key === 'right') {
    return { ...view, isOpen: view.picked !== undefined, scrolled: 0 };
  }
  if (key === 'escape' || key === 'left' || key === 'backspace') {
    return { ...view, isOpen: false };
  }
  return key in orders && !view.isOpen ? { ...view, order: key as Order } : view;
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

async function rest(ms: number, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([over, aborted(signal)]);
  clearTimeout(timer);
}
