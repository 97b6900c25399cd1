/** One drawn row, which shows another item when the list is scrolled. */
export interface RowView<Item> {
  readonly element: HTMLElement;
  show(item: Item, index: number): void;
}

/** A long list of rows of one height, of which only those in sight are drawn. */
export class VirtualRows<Item> {
  readonly #viewport: HTMLElement;
  readonly #body: HTMLElement;
  readonly #rowHeight: number;
  readonly #makeRow: () => RowView<Item>;
  /** Item i is shown by view i % length, so that scrolling by one changes one view. */
  #views: RowView<Item>[] = [];
  #items: readonly Item[] = [];
  #frame = 0;

  constructor(viewport: HTMLElement, body: HTMLElement, rowHeight: number, makeRow: () => RowView<Item>) {
    this.#viewport = viewport;
    this.#body = body;
    this.#rowHeight = rowHeight;
    this.#makeRow = makeRow;
    viewport.addEventListener('scroll', () => this.#drawSoon(), { passive: true });
    new ResizeObserver(() => this.#drawSoon()).observe(viewport);
  }

  show(items: readonly Item[]): void {
    this.#items = items;
    this.#draw();
  }

  /** How many rows are in sight. */
  get inSight(): number {
    return Math.max(1, Math.floor(this.#sightHeight() / this.#rowHeight));
  }

  scrollTo(index: number): void {
    const top = index * this.#rowHeight;
    const from = this.#viewport.scrollTop;
    const height = this.#sightHeight();
    if (top < from) {
      this.#viewport.scrollTop = top;
    } else if (top + this.#rowHeight > from + height) {
      this.#viewport.scrollTop = top + this.#rowHeight - height;
    }
    this.#draw();
  }

  #sightHeight(): number {
    return this.#viewport.clientHeight - this.#body.offsetTop;
  }

  #drawSoon(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const total = this.#items.length;
    this.#body.style.height = `${total * this.#rowHeight}px`;
    const first = Math.max(0, Math.floor(this.#viewport.scrollTop / this.#rowHeight) - 2);
    const count = Math.min(total - first, Math.ceil(this.#viewport.clientHeight / this.#rowHeight) + 4);
    this.#provide(count);
    const spare = this.#views.length;
    for (let i = first; i < first + spare; i++) {
      const view = this.#views[i % spare] as RowView<Item>;
      const isUsed = i < first + count;
      view.element.hidden = !isUsed;
      if (isUsed) {
        view.element.style.top = `${i * this.#rowHeight}px`;
        view.show(this.#items[i] as Item, i);
      }
    }
  }

  /** At least so many views; what was drawn moves to where it belongs then. */
  #provide(count: number): void {
    while (this.#views.length < count) {
      const view = this.#makeRow();
      this.#views.push(view);
      this.#body.append(view.element);
    }
  }
}
