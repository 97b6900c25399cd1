import { make } from './dom.ts';

/** How full, as a bar. The numbers stand beside it, so it is nothing for those who can't see it. */
export class Bar {
  readonly #fill = make('div', { class: 'fill' });
  readonly element = make('div', { class: 'bar', 'aria-hidden': 'true' }, this.#fill);

  show(part: number): void {
    this.#fill.style.width = `${Math.min(100, part * 100)}%`;
  }
}
