import type { Hello, Look } from '../messages.ts';
import { Connection, type ConnectionState, isSignedIn, post } from './connection.ts';
import { DetailView } from './detail.ts';
import { Dialogs } from './dialogs.ts';
import { byId, isTyping, setText } from './dom.ts';
import { showAge, showCount, showMs } from './format.ts';
import { Overview } from './overview.ts';
import { Semaphores } from './semaphores.ts';

/** How many holders and waiters are listed, and after `List more`. */
const sizes = [100, 1_000, 10_000] as const;
/** Arrow keys pass over many: only the one where they rest is opened. */
const settleMs = 150;

const semaphores = new Semaphores();
let hello: Hello | undefined;
let last: Look | undefined;
let state: ConnectionState = { kind: 'connecting' };
let size: number = sizes[0];
let settleTimer = 0;

const dialogs = new Dialogs({
  done: toast,
  signedIn: () => {
    state = { kind: 'connecting' };
    connection.tryNow();
    drawState();
  },
});
const detail = new DetailView({
  close: () => open(undefined),
  resize: (name, limit) => dialogs.resize(name, limit),
  revoke: (target) => dialogs.revoke(target),
  more: () => {
    size = sizes.find((larger) => larger > size) ?? size;
    connection.watch(detail.openName, size);
  },
});
const overview = new Overview(semaphores, {
  open: (name) => open(name),
  picked: (name) => {
    clearTimeout(settleTimer);
    if (detail.openName !== undefined) {
      settleTimer = setTimeout(() => open(name), settleMs);
    }
  },
});
const connection = new Connection({
  hello: (told) => {
    hello = told;
    last = { ...told, gone: [] };
    semaphores.start(told);
    detail.set(told);
    overview.setHistory(told.historyMs);
    byId('help-resize').hidden = !told.mayChange;
    setText(byId('target'), describeTarget(told));
    draw();
  },
  look: (look) => {
    last = look;
    semaphores.apply(look);
    if (look.failure !== null) {
      detail.missed(look.atMs);
    }
    draw();
  },
  history: (history) => detail.history(history),
  detail: (told) => detail.show(told),
  state: (now) => {
    state = now;
    if (now.kind === 'signed-out') {
      dialogs.signIn();
    }
    drawState();
  },
});

function describeTarget({ redis, prefix, pattern, mayChange }: Hello): string {
  const parts = [redis];
  if (prefix !== 'parkade') parts.push(`prefix ${prefix}`);
  if (pattern !== '*') parts.push(`only ${pattern}`);
  parts.push(mayChange ? 'changes allowed' : 'read-only');
  return parts.join(' · ');
}

function draw(): void {
  overview.draw();
  let [count, held, waiting, oldestMs] = [0, 0, 0, 0];
  for (const { row } of semaphores.all) {
    count++;
    held += row.held;
    waiting += row.waiting;
    oldestMs = Math.max(oldestMs, row.waiting > 0 ? row.oldestWaitMs : 0);
  }
  setText(byId('total-semaphores'), showCount(count));
  setText(byId('total-held'), showCount(held));
  setText(byId('total-waiting'), showCount(waiting));
  setText(byId('total-wait'), waiting > 0 ? showMs(oldestMs) : '–');
  drawEmpty(count);
  drawState();
}

function drawEmpty(count: number): void {
  const empty = byId('empty');
  empty.hidden = !overview.isEmpty || hello === undefined || last?.failure != null;
  byId('grid').classList.toggle('is-empty', overview.isEmpty);
  if (!empty.hidden && last !== undefined) {
    const none = last.isComplete
      ? 'No semaphore is in use. They turn up here a few seconds after a program first uses one.'
      : 'Looking for semaphores…';
    setText(empty, count > 0 ? 'No semaphore fits the filter. Esc clears it.' : none);
  }
}

/** How old what is shown is, and why. */
function drawState(): void {
  const banner = byId('banner');
  const say = (text: string, kind: 'bad' | 'plain') => {
    banner.hidden = text === '';
    banner.dataset['kind'] = kind;
    setText(byId('banner-text'), text);
  };
  byId('try-now').hidden = state.kind !== 'lost' && state.kind !== 'signed-out';
  const failure = state.kind === 'live' ? last?.failure : undefined;
  document.body.classList.toggle(
    'is-stale',
    hello !== undefined && (state.kind !== 'live' || failure != null),
  );
  const pill = byId('state');
  pill.dataset['kind'] =
    state.kind === 'live' ? (failure == null ? 'live' : 'bad') : state.kind === 'lost' ? 'bad' : 'plain';
  switch (state.kind) {
    case 'live':
      setText(pill, failure == null ? 'live' : 'Redis is away');
      if (failure != null) {
        const agoMs = (last?.atMs ?? 0) - (last?.failingSinceMs ?? 0);
        say(`No news from Redis for ${showAge(agoMs)}: ${failure}`, 'bad');
      } else if (last !== undefined && last.omitted > 0) {
        say(
          `${showCount(last.omitted)} more semaphores are left out; see --max-semaphores, or name a pattern.`,
          'plain',
        );
      } else {
        say('', 'plain');
      }
      break;
    case 'lost': {
      setText(pill, 'not connected');
      const inMs = Math.max(0, state.againAtMs - Date.now());
      const why = state.ended ? 'The dashboard was ended' : 'The dashboard does not answer';
      say(
        `${why}; what you see is old. Trying again ${inMs < 500 ? 'now' : `in ${Math.ceil(inMs / 1000)} s`}.`,
        'bad',
      );
      break;
    }
    case 'paused':
      setText(pill, 'paused');
      break;
    case 'signed-out':
      setText(pill, 'no token');
      say('This dashboard needs the token that it printed.', 'bad');
      break;
    case 'connecting':
      setText(pill, 'connecting…');
  }
  document.title = state.kind === 'live' && failure == null ? 'parkade' : `parkade (${pill.textContent})`;
}

function toast(text: string): void {
  const element = byId('toast');
  setText(element, text);
  element.hidden = false;
  setTimeout(() => {
    if (element.textContent === text) element.hidden = true;
  }, 6_000);
}

/** Which one is open is in the url, so that it can be handed on, and the browser's back button closes it. */
function open(name: string | undefined): void {
  const hash = name === undefined ? '#' : `#/${encodeURIComponent(name)}`;
  if (hash !== (location.hash || '#')) {
    if (detail.openName !== undefined && name !== undefined) {
      history.replaceState(null, '', hash);
    } else {
      history.pushState(null, '', hash);
    }
  }
  showOpen();
}

function openInUrl(): string | undefined {
  const [, encoded] = /^#\/(.+)$/.exec(location.hash) ?? [];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

function showOpen(): void {
  const name = openInUrl();
  const before = detail.openName;
  byId('main').classList.toggle('has-detail', name !== undefined);
  if (name === undefined) {
    detail.close();
    overview.focus();
  } else {
    detail.open(name);
  }
  overview.opened(name);
  if (name !== before) {
    size = sizes[0];
    connection.watch(name, size);
  }
}

document.addEventListener('keydown', (event) => {
  if (dialogs.isOpen || event.altKey || event.ctrlKey || event.metaKey || isTyping(event.target)) {
    return;
  }
  const acts: Record<string, () => void> = {
    '/': () => overview.focusFilter(),
    '?': () => dialogs.help(),
    s: () => overview.sortByNext(),
    r: () => detail.resize(),
    Escape: () => detail.openName !== undefined && open(undefined),
  };
  const act = acts[event.key];
  if (act !== undefined) {
    event.preventDefault();
    act();
  }
});
document.addEventListener('chosen', draw);
window.addEventListener('popstate', showOpen);
byId('try-now').addEventListener('click', () => connection.tryNow());
setInterval(() => state.kind === 'lost' && drawState(), 500);

await start();

async function start(): Promise<void> {
  const [, token] = /^#token=(.+)$/.exec(location.hash) ?? [];
  if (token !== undefined) {
    history.replaceState(null, '', '#'); // it stays out of what is bookmarked or handed on
    await post('session', { token: decodeURIComponent(token) }).catch(() => {});
  }
  drawState();
  if ((await isSignedIn()) === false) {
    state = { kind: 'signed-out' };
    dialogs.signIn();
    drawState();
    return;
  }
  showOpen();
  if (openInUrl() === undefined) {
    connection.tryNow();
  }
  overview.focus();
}
