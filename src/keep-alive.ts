/**
 * Keeps the process alive while somebody waits for an answer, and only then. Timers and idle sockets of this
 * package don't, so that a script that is done ends; without this, one that waits for its turn would end too.
 */
export class KeepAlive {
  readonly #timer = setInterval(() => {}, 2 ** 30).unref();
  #awaited = 0;

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

  async during<T>(promise: Promise<T>): Promise<T> {
    this.enter();
    try {
      return await promise;
    } finally {
      this.leave();
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
