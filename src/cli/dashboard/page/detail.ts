import type { Detail, Hello, History, HolderRow, WaiterRow } from '../messages.ts';
import { Bar } from './bar.ts';
import { byId, make, setText } from './dom.ts';
import {
  pressureOf,
  showAge,
  showAtLeast,
  showCount,
  showMs,
  showSpan,
  splitClient,
  useOf,
} from './format.ts';
import { TimePlots } from './plots.ts';
import { type RowView, VirtualRows } from './virtual-rows.ts';

/** A permit or a place in line, to be taken away. */
export interface Target {
  readonly name: string;
  readonly permit: string;
  readonly client: string;
  readonly isHolder: boolean;
}

export interface DetailEvents {
  close(): void;
  resize(name: string, limit: number): void;
  revoke(target: Target): void;
  /** More holders and waiters are wanted. */
  more(): void;
}

const rowHeight = 34;
const headHeight = 30;

/** One semaphore: numbers, plots, who holds it and who waits. */
export class DetailView {
  readonly #events: DetailEvents;
  readonly #section = byId('detail');
  readonly #name = make('bdi', { id: 'detail-name', class: 'name' });
  readonly #bar = new Bar();
  readonly #numbers = make('p', { class: 'lead' });
  readonly #note = make('p', { class: 'note' });
  readonly #resize = make('button', { type: 'button', 'aria-keyshortcuts': 'r' }, 'Resize…');
  readonly #windows = make('fieldset', { class: 'windows' });
  readonly #plots = new TimePlots();
  readonly #holders: List<HolderRow>;
  readonly #waiters: List<WaiterRow>;
  #detail: Detail | undefined;
  #open: string | undefined;
  #mayChange = false;
  #historyMs = 0;

  constructor(events: DetailEvents) {
    this.#events = events;
    const close = make(
      'button',
      { type: 'button', class: 'quiet', 'aria-label': 'Close', title: 'Close (Esc)' },
      '✕',
    );
    close.addEventListener('click', () => events.close());
    this.#resize.addEventListener('click', () => this.resize());
    const revoke = (isHolder: boolean) => (it: HolderRow | WaiterRow) =>
      events.revoke({ name: this.#open ?? '', permit: it.permit, client: it.client, isHolder });
    this.#holders = new List<HolderRow>('Holders', ['Client', 'Units', 'Held for', 'Lease left', 'Permit'], {
      cells: (it) => [
        it.client,
        showCount(it.weight),
        showAtLeast(it.seenForMs),
        showAge(it.expiresInMs),
        shortPermit(it),
      ],
      revoke: revoke(true),
      more: () => events.more(),
      none: 'Nobody holds it.',
    });
    this.#waiters = new List<WaiterRow>('Waiters', ['Place', 'Client', 'Units', 'Waits for', 'Permit'], {
      cells: (it) => [
        showCount(it.position + 1),
        it.client,
        showCount(it.weight),
        showAge(it.waitingMs),
        shortPermit(it),
      ],
      revoke: revoke(false),
      more: () => events.more(),
      none: 'Nobody waits.',
    });
    this.#windows.addEventListener('change', ({ target }) =>
      this.#plots.setWindow(Number((target as HTMLInputElement).value)),
    );
    this.#section.append(
      make('div', { class: 'title' }, make('h2', {}, this.#name), this.#resize, close),
      make('div', { class: 'sum' }, this.#bar.element),
      make('div', { class: 'words' }, this.#numbers, this.#windows),
      this.#note,
      make(
        'div',
        { class: 'plots' },
        make('div', {}, make('h3', {}, 'Units held, and the limit'), this.#plots.held.element),
        make('div', {}, make('h3', {}, 'Line'), this.#plots.waiting.element),
      ),
      this.#holders.element,
      this.#waiters.element,
    );
  }

  get openName(): string | undefined {
    return this.#open;
  }

  /** What the server has, and what it lets us do. */
  set({ mayChange, historyMs }: Hello): void {
    this.#mayChange = mayChange;
    this.#section.classList.toggle('read-only', !mayChange);
    this.#resize.hidden = !mayChange;
    if (historyMs !== this.#historyMs) {
      this.#historyMs = historyMs;
      this.#plots.setHistory(historyMs);
      this.#offerWindows(historyMs);
    }
  }

  open(name: string): void {
    if (name !== this.#open) {
      this.#open = name;
      this.#detail = undefined;
      this.#section.scrollTop = 0;
      setText(this.#name, name);
      setText(this.#numbers, '…');
      setText(this.#note, '');
      this.#holders.show([], 0);
      this.#waiters.show([], 0);
      this.#plots.start({ name, atMs: [], held: [], limit: [], waiting: [] });
      this.#plots.draw();
    }
    this.#section.hidden = false;
  }

  close(): void {
    this.#open = undefined;
    this.#section.hidden = true;
  }

  history(history: History): void {
    if (history.name === this.#open) {
      this.#plots.start(history);
      this.#plots.draw();
    }
  }

  show(detail: Detail): void {
    if (detail.name !== this.#open) {
      return;
    }
    this.#detail = detail;
    const { held, limit, holding, waiting, oldestWaitMs, holders, waiters, available, exists } = detail;
    this.#bar.show(useOf(detail));
    this.#section.dataset['pressure'] = pressureOf(detail);
    const parts = [
      `${showCount(held)} of ${showCount(limit)} units held by ${showCount(holding)} ${holding === 1 ? 'permit' : 'permits'}`,
      waiting > 0 ? `${showCount(waiting)} waiting, the longest for ${showMs(oldestWaitMs)}` : 'nobody waits',
    ];
    setText(this.#numbers, parts.join(' · '));
    setText(this.#note, noteOf(exists, held, limit, available, waiters[0]));
    this.#resize.disabled = !exists;
    this.#holders.show(holders, holding);
    this.#waiters.show(waiters, waiting);
    this.#plots.add(detail.atMs, detail);
    this.#plots.draw();
  }

  /** The look failed: nothing is known of this moment. */
  missed(atMs: number): void {
    if (this.#open !== undefined) {
      this.#plots.add(atMs, null);
      this.#plots.draw();
    }
  }

  resize(): void {
    if (this.#mayChange && this.#detail?.exists) {
      this.#events.resize(this.#detail.name, this.#detail.limit);
    }
  }

  /** How much of the history the plots show. */
  #offerWindows(historyMs: number): void {
    const choices = [60_000, 300_000, 900_000, 3_600_000].filter((ms) => ms < historyMs);
    const labels = [...choices, historyMs].map((ms) => {
      const radio = make('input', { type: 'radio', name: 'window', value: String(ms) });
      radio.checked = ms === historyMs;
      return make('label', {}, radio, showSpan(ms));
    });
    this.#windows.replaceChildren(make('legend', { class: 'unseen' }, 'Plots over'), ...labels);
    this.#plots.setWindow(historyMs);
  }
}

/** A permit's id begins with its client's, which stands beside it. */
function shortPermit({ permit, client }: HolderRow | WaiterRow): string {
  return permit.startsWith(`${client}/`) ? `…${permit.slice(client.length)}` : permit;
}

/** What the numbers alone don't say. */
function noteOf(
  exists: boolean,
  held: number,
  limit: number,
  available: number,
  head: WaiterRow | undefined,
): string {
  if (!exists) {
    return 'Nobody uses it any more.';
  }
  if (held > limit) {
    return `${showCount(held - limit)} more than the limit, since it was made smaller: nothing is granted until it has drained.`;
  }
  if (limit === 0) {
    return 'The limit is 0: nothing is granted.';
  }
  if (head !== undefined && available > 0 && head.weight > available) {
    return `${showCount(available)} free, but the head of the line needs ${showCount(head.weight)}, and nobody goes ahead of it.`;
  }
  return '';
}

interface ListParts<Item> {
  readonly cells: (item: Item) => readonly string[];
  readonly revoke: (item: Item) => void;
  readonly more: () => void;
  readonly none: string;
}

/** Holders, or waiters. */
class List<Item extends { readonly permit: string; readonly client: string }> {
  readonly element: HTMLElement;
  readonly #rows: VirtualRows<Item>;
  readonly #viewport: HTMLElement;
  readonly #count = make('span', { class: 'of' });
  readonly #none: HTMLElement;
  readonly #more = make('p', { class: 'more' });
  readonly #moreText = make('span');

  constructor(title: string, heads: readonly string[], parts: ListParts<Item>) {
    const kind = title.toLowerCase();
    const body = make('div', { role: 'rowgroup', class: 'body' });
    const head = make(
      'div',
      { role: 'row', class: 'line head' },
      ...heads.map((text) => make('div', { role: 'columnheader', class: classOf(text) }, text)),
      make('div', { role: 'columnheader', class: 'act' }, make('span', { class: 'unseen' }, 'Change')),
    );
    this.#viewport = make(
      'div',
      { role: 'table', class: `list ${kind}`, 'aria-label': title },
      make('div', { role: 'rowgroup' }, head),
      body,
    );
    this.#none = make('p', { class: 'none' }, parts.none);
    const more = make('button', { type: 'button' }, 'List more');
    more.addEventListener('click', parts.more);
    this.#more.append(this.#moreText, ' ', more);
    this.element = make(
      'div',
      {},
      make('h3', {}, title, ' ', this.#count),
      this.#viewport,
      this.#none,
      this.#more,
    );
    this.#rows = new VirtualRows(this.#viewport, body, rowHeight, () => rowOf(heads, parts));
  }

  show(items: readonly Item[], total: number): void {
    setText(this.#count, total > 0 ? showCount(total) : '');
    this.#viewport.hidden = items.length === 0;
    this.#viewport.setAttribute('aria-rowcount', String(total + 1));
    this.#none.hidden = items.length > 0;
    this.#more.hidden = total <= items.length;
    setText(this.#moreText, `${showCount(total - items.length)} more are not listed.`);
    this.#viewport.style.height = `${headHeight + Math.min(9.5, items.length) * rowHeight + 2}px`;
    this.#rows.show(items);
  }
}

function rowOf<Item extends { readonly permit: string; readonly client: string }>(
  heads: readonly string[],
  { cells, revoke }: ListParts<Item>,
): RowView<Item> {
  const [known, rest] = [make('b'), make('span', { class: 'dim' })];
  const elements = heads.map((head) => make('div', { role: 'cell', class: classOf(head) }));
  const client = elements[heads.indexOf('Client')] as HTMLElement;
  client.append(make('bdi', {}, known, rest));
  const button = make('button', { type: 'button', class: 'small' }, 'Revoke…');
  const element = make(
    'div',
    { role: 'row', class: 'line' },
    ...elements,
    make('div', { role: 'cell', class: 'act' }, button),
  );
  let shown: Item | undefined;
  button.addEventListener('click', () => shown && revoke(shown));
  const show = (item: Item, index: number) => {
    shown = item;
    element.setAttribute('aria-rowindex', String(index + 2));
    for (const [i, text] of cells(item).entries()) {
      const cell = elements[i] as HTMLElement;
      if (cell !== client) {
        setText(cell, text);
      }
    }
    const [knownPart, restPart] = splitClient(item.client);
    setText(known, knownPart);
    setText(rest, restPart);
    client.title = item.client;
    (elements[heads.indexOf('Permit')] as HTMLElement).title = item.permit;
    button.setAttribute('aria-label', `Revoke ${item.permit}`);
  };
  return { element, show };
}

function classOf(head: string): string {
  return head.toLowerCase().replace(' ', '-');
}
