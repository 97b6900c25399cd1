import { post } from './connection.ts';
import type { Target } from './detail.ts';
import { byId, setText } from './dom.ts';
import { showCount } from './format.ts';

/** A question that is answered by doing something, which may fail: then it stays open and says why. */
class Question {
  readonly #dialog: HTMLDialogElement;
  readonly #error: HTMLElement;
  #act: () => Promise<void> = async () => {};
  #isBusy = false;

  constructor(id: string) {
    this.#dialog = byId<HTMLDialogElement>(id);
    this.#error = this.#dialog.querySelector('.error') as HTMLElement;
    for (const button of this.#dialog.querySelectorAll<HTMLButtonElement>('button[value="cancel"]')) {
      button.addEventListener('click', () => this.close());
    }
    this.#dialog.querySelector('form')?.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#go();
    });
  }

  ask(act: () => Promise<void>): void {
    this.#act = act;
    setText(this.#error, '');
    if (!this.#dialog.open) {
      this.#dialog.showModal();
    }
  }

  close(): void {
    this.#dialog.close();
  }

  async #go(): Promise<void> {
    if (this.#isBusy) {
      return;
    }
    this.#isBusy = true;
    setText(this.#error, '');
    this.#dialog.setAttribute('aria-busy', 'true');
    try {
      await this.#act();
      this.close();
    } catch (error) {
      setText(this.#error, (error as Error).message);
    } finally {
      this.#isBusy = false;
      this.#dialog.removeAttribute('aria-busy');
    }
  }
}

export interface DialogEvents {
  /** Something was done. */
  done(what: string): void;
  signedIn(): void;
}

/** What asks before something is changed; the help; and who has no token is asked for one. */
export class Dialogs {
  readonly #events: DialogEvents;
  readonly #resize = new Question('resize');
  readonly #revoke = new Question('revoke');
  readonly #signIn = new Question('sign-in');
  readonly #limit = byId<HTMLInputElement>('resize-limit');
  #limitBefore = 0;

  constructor(events: DialogEvents) {
    this.#events = events;
    this.#limit.addEventListener('input', () => this.#sayEffect());
    byId('help-button').addEventListener('click', () => this.help());
  }

  /** Whether one is open, so that keys are its own. */
  get isOpen(): boolean {
    return document.querySelector('dialog[open]') !== null;
  }

  help(): void {
    byId<HTMLDialogElement>('help').showModal();
  }

  resize(name: string, limitBefore: number): void {
    this.#limitBefore = limitBefore;
    setText(byId('resize-name'), name);
    setText(byId('resize-now'), showCount(limitBefore));
    this.#limit.value = String(limitBefore);
    this.#sayEffect();
    this.#resize.ask(async () => {
      const limit = this.#limit.valueAsNumber;
      await post('resize', { name, limit, limitBefore });
      this.#events.done(`${name} has ${showCount(limit)} units now.`);
    });
    this.#limit.select();
  }

  revoke({ name, permit, client, isHolder }: Target): void {
    setText(byId('revoke-title'), isHolder ? 'Revoke this permit?' : 'Take this waiter out of the line?');
    setText(
      byId('revoke-what'),
      isHolder
        ? 'The next in line are served at once. The holder is told at its next check-in at the latest; until then it may go on with what it does. No renewal brings the permit back.'
        : 'Its acquire rejects, and it does not come back to its place.',
    );
    setText(byId('revoke-name'), name);
    setText(byId('revoke-client'), client);
    setText(byId('revoke-permit'), permit);
    this.#revoke.ask(async () => {
      await post('revoke', { name, permit });
      this.#events.done(isHolder ? `The permit of ${client} is revoked.` : `${client} is out of the line.`);
    });
  }

  signIn(): void {
    const token = byId<HTMLInputElement>('token');
    this.#signIn.ask(async () => {
      await post('session', { token: token.value.trim() });
      token.value = '';
      this.#events.signedIn();
    });
  }

  #sayEffect(): void {
    const limit = this.#limit.valueAsNumber;
    const isGood = Number.isInteger(limit) && limit >= 0;
    byId<HTMLButtonElement>('resize-go').disabled = !isGood || limit === this.#limitBefore;
    const effect = !isGood
      ? 'A whole number, 0 or more.'
      : limit > this.#limitBefore
        ? 'The next in line are served at once.'
        : limit === 0
          ? 'Nothing is granted until it is resized again. Nothing is taken from who holds now.'
          : limit < this.#limitBefore
            ? 'Nothing is taken from who holds now: it drains. Waiters that need more than the limit are refused.'
            : '';
    setText(byId('resize-effect'), effect);
  }
}
