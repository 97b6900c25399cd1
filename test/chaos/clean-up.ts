/** What has to be closed at the end, the latest first. Node 20 has no AsyncDisposableStack yet. */
export class CleanUp implements AsyncDisposable {
  readonly #steps: (() => unknown)[] = [];

  /** Returns the thing, to be closed in this way. */
  add<T>(thing: T, close: (thing: T) => unknown): T {
    this.#steps.push(() => close(thing));
    return thing;
  }

  /** Goes on after a step that fails, and throws its error in the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
