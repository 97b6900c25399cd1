import type { Teller } from '../../src/teller.ts';

/** In place of the teller: it looks at no channel and tells nothing. */
class MuteTeller implements Pick<Teller, keyof Teller> {
  request<T>(request: T): T {
    return request;
  }
  renewed(): void {}
  renewalFailed(): void {}
  released(): void {}
  lost(): void {}
  left(): void {}
  restored(): void {}
}

export { MuteTeller as Teller };
