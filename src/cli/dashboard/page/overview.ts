import { Bar } from './bar.ts';
import { byId, make, setText } from './dom.ts';
import { pressureOf, showCount, showMs, showSpan, useOf } from './format.ts';
import { Sparkline } from './plots.ts';
import { type Choice, type Column, columns, type Semaphore, type Semaphores } from './semaphores.ts';
import { type RowView, VirtualRows } from './virtual-rows.ts';

export interface OverviewEvents {
  /** Somebody wants to see who holds it and who waits. */
  open(name: string): void;
  /** Another row was picked. */
  picked(name: string): void;
}

const rowHeight = 40;
/** Rows that jump about can't be read: they get another order this often, and never under the pointer. */
const orderEveryMs = 3_000;

/** The table of all semaphores: sorted, filtered, and drawn as far as it is in sight. */
export class Overview {
  readonly #semaphores: Semaphores;
  readonly #events: OverviewEvents;
  readonly #grid = byId('grid');
  readonly #rows: VirtualRows<Semaphore>;
  readonly #heads = new Map<Column, HTMLElement>();
  readonly #trailHeads = {
    use: make('div', { role: 'columnheader', class: 'c-use-trail' }),
    line: make('div', { role: 'columnheader', class: 'c-line-trail' }),
  };
  #choice: Choice = { text: '', only: 'all', column: 'use', isReversed: false };
  #order: Semaphore[] = [];
  #orderedAtMs = 0;
  #isPointedAt = false;
  #picked: string | undefined;
  #opened: string | undefined;

  constructor(semaphores: Semaphores, events: OverviewEvents) {
    this.#semaphores = semaphores;
    this.#events = events;
    this.#makeHead();
    this.#rows = new VirtualRows(this.#grid, byId('grid-rows'), rowHeight, () => this.#makeRow());
    const rows = byId('grid-rows');
    rows.addEventListener('pointerenter', () => {
      this.#isPointedAt = true;
    });
    rows.addEventListener('pointerleave', () => {
      this.#isPointedAt = false;
    });
    this.#grid.addEventListener('keydown', (event) => this.#key(event));
    const filter = byId<HTMLInputElement>('filter');
    filter.addEventListener('input', () => this.#choose({ text: filter.value }));
    filter.addEventListener('keydown', (event) => {
      if (event.key === 'Escape' && filter.value !== '') {
        event.preventDefault();
        event.stopPropagation();
        filter.value = '';
        this.#choose({ text: '' });
      } else if (event.key === 'Escape' || event.key === 'ArrowDown' || event.key === 'Enter') {
        event.preventDefault();
        event.stopPropagation();
        this.focus();
      }
    });
    byId('only').addEventListener('change', ({ target }) => {
      this.#choose({ only: (target as HTMLInputElement).value as Choice['only'] });
    });
  }

  setHistory(ms: number): void {
    setText(this.#trailHeads.use, `Use, last ${showSpan(ms)}`);
    setText(this.#trailHeads.line, `Line, last ${showSpan(ms)}`);
  }

  focus(): void {
    this.#grid.focus();
  }

  focusFilter(): void {
    const filter = byId<HTMLInputElement>('filter');
    filter.focus();
    filter.select();
  }

  /** Which one is open beside the table, if any. */
  opened(name: string | undefined): void {
    this.#opened = name;
    if (name !== undefined) {
      this.#pick(name);
    }
    this.draw();
  }

  sortByNext(): void {
    const all = Object.keys(columns) as Column[];
    this.#sortBy(all[(all.indexOf(this.#choice.column) + 1) % all.length] as Column);
  }

  draw(): void {
    const canMove = !this.#isPointedAt && Date.now() - this.#orderedAtMs >= orderEveryMs;
    const chosen = this.#semaphores.chosen(this.#choice);
    if (canMove) {
      this.#orderedAtMs = Date.now();
      this.#order = chosen;
    } else {
      const byName = new Map(chosen.map((semaphore) => [semaphore.row.name, semaphore]));
      const stay = this.#order.flatMap(({ row }) => byName.get(row.name) ?? []);
      const known = new Set(stay);
      this.#order = [...stay, ...chosen.filter((semaphore) => !known.has(semaphore))];
    }
    if (this.#picked === undefined || !this.#order.some(({ row }) => row.name === this.#picked)) {
      this.#picked = this.#order[0]?.row.name;
    }
    this.#grid.setAttribute('aria-rowcount', String(this.#order.length + 1));
    this.#rows.show(this.#order);
    const at = this.#at();
    if (at < 0) {
      this.#grid.removeAttribute('aria-activedescendant');
    } else {
      this.#grid.setAttribute('aria-activedescendant', `row-${this.#order[at]?.row.id}`);
    }
    const total = [...this.#semaphores.all].length;
    const shown = this.#order.length;
    setText(byId('count'), shown === total ? '' : `${showCount(shown)} of ${showCount(total)}`);
  }

  get isEmpty(): boolean {
    return this.#order.length === 0;
  }

  #choose(part: Partial<Choice>): void {
    this.#choice = { ...this.#choice, ...part };
    this.#orderedAtMs = 0;
    this.#isPointedAt = false;
    this.#grid.scrollTop = 0;
    this.draw();
    document.dispatchEvent(new Event('chosen'));
  }

  #sortBy(column: Column): void {
    const isReversed = column === this.#choice.column && !this.#choice.isReversed;
    this.#choose({ column, isReversed });
    this.#markSorted();
  }

  #makeHead(): void {
    const cell = (column: Column) => {
      const button = make('button', { type: 'button', tabindex: '-1' }, columns[column].title);
      button.addEventListener('click', () => this.#sortBy(column));
      const head = make('div', { role: 'columnheader', class: `c-${column}` }, button);
      this.#heads.set(column, head);
      return head;
    };
    byId('grid-head').append(
      make(
        'div',
        { role: 'row', 'aria-rowindex': '1', class: 'row head' },
        cell('name'),
        cell('use'),
        this.#trailHeads.use,
        cell('waiting'),
        this.#trailHeads.line,
        cell('wait'),
        cell('grants'),
      ),
    );
    this.#markSorted();
  }

  #markSorted(): void {
    const { column: sorted, isReversed } = this.#choice;
    for (const [column, head] of this.#heads) {
      const isDown = (column === 'name') === isReversed;
      head.setAttribute('aria-sort', column !== sorted ? 'none' : isDown ? 'descending' : 'ascending');
    }
  }

  #makeRow(): RowView<Semaphore> {
    const name = make('bdi', { class: 'name' });
    const numbers = make('span', { class: 'numbers' });
    const bar = new Bar();
    const waiting = make('span');
    const wait = make('span');
    const grants = make('span');
    const use = new Sparkline('use', 1);
    const line = new Sparkline('line', 4);
    const cell = (kind: string, ...children: Node[]) =>
      make('div', { role: 'gridcell', class: `c-${kind}` }, ...children);
    const element = make(
      'div',
      { role: 'row', class: 'row' },
      cell('name', name),
      cell('use', bar.element, numbers),
      cell('use-trail', use.element),
      cell('waiting', waiting),
      cell('line-trail', line.element),
      cell('wait', wait),
      cell('grants', grants),
    );
    let shown: string | undefined;
    element.addEventListener('click', () => {
      if (shown !== undefined) {
        this.#pick(shown);
        this.#events.open(shown);
      }
    });
    const show = ({ row, use: useTrail, waiting: lineTrail }: Semaphore, index: number) => {
      shown = row.name;
      element.id = `row-${row.id}`;
      element.setAttribute('aria-rowindex', String(index + 2));
      element.setAttribute('aria-selected', String(row.name === this.#picked));
      element.classList.toggle('opened', row.name === this.#opened);
      element.dataset['pressure'] = pressureOf(row);
      setText(name, row.name);
      name.title = row.name;
      setText(numbers, `${showCount(row.held)} / ${showCount(row.limit)}`);
      bar.show(useOf(row));
      setText(waiting, row.waiting > 0 ? showCount(row.waiting) : '–');
      setText(wait, row.waiting > 0 ? showMs(row.oldestWaitMs) : '–');
      setText(grants, row.grantsPerS === null ? '?' : `≥ ${row.grantsPerS.toFixed(1)}`);
      use.show(useTrail, (most) => `${Math.round(most * 100)} % held`);
      line.show(lineTrail, (most) => `${showCount(most)} waiting`);
    };
    return { element, show };
  }

  #at(): number {
    return this.#order.findIndex(({ row }) => row.name === this.#picked);
  }

  #pick(name: string): void {
    this.#picked = name;
    this.draw();
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, this.#rows.inSight - 1);
    const end = this.#order.length;
    const steps: Record<string, number> = {
      ...{ ArrowUp: -1, k: -1, ArrowDown: 1, j: 1, PageUp: -page, PageDown: page, Home: -end, End: end },
    };
    const step = steps[event.key];
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== this.#grid) {
      return;
    }
    if (step !== undefined && end > 0) {
      event.preventDefault();
      const at = Math.min(end - 1, Math.max(0, this.#at() + step));
      const name = this.#order[at]?.row.name as string;
      this.#rows.scrollTo(at);
      this.#pick(name);
      this.#events.picked(name);
    } else if (event.key === 'Enter' && this.#picked !== undefined) {
      event.preventDefault();
      this.#events.open(this.#picked);
    }
  }
}
