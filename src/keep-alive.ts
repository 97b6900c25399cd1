/**
 * Keeps the process alive while somebody waits for an answer, and only then. Timers and idle sockets of this
 * package don't, so that a script that is done ends; without this, one that waits for its turn would end too.
 */
export class KeepAlive {
  readonly #timer = setInterval(() => {}, 2 ** 30).unref();
  #awaited = 0;
  readonly #left = () => this.leave();

  enter(): void {
    if (this.#awaited++ === 0) {
      this.#timer.ref();
    }
  }

  leave(): void {
    if (--this.#awaited === 0) {
      this.#timer.unref();
    }
  }

  /** Until the promise is settled; hands it back. */
  during<T>(promise: Promise<T>): Promise<T> {
    this.enter();
    promise.then(this.#left, this.#left);
    return promise;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
