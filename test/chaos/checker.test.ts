import { describe, expect, test } from 'vitest';
import { judge } from './checker.ts';
import { permitId, Story } from './story.ts';

/** How often each promise was broken, outside documented windows and inside them; those that were kept are left out. */
function broken(story: Story): Record<string, string> {
  const entries = judge(story).verdicts.map(
    ({ promise, violations, inWindows }) => [promise, `${violations.length} + ${inWindows.length}`] as const,
  );
  return Object.fromEntries(entries.filter(([, counts]) => counts !== '0 + 0'));
}

const a = 'w0.1';
const b = 'w1.1';
const c = 'w2.1';
const overIssue = 'never more held than the limit';
const serverCount = 'Redis never has more held than the limit';
const store = 'the guarded store sees no two at once that may not be';
const overtaking = 'nobody overtakes who still waits';
const order = 'grants follow the line';
const tokens = 'fencing tokens rise and never repeat';
const told = 'the signal comes before another grant';
const revival = 'a lost permit never revives';
const releases = 'only what is held can be released, once';
const lingering = 'what has ended does not linger';
const restoration = 'only what was lost is restored';
const served = 'every live request is served after the faults';
const returned = 'every unit returns';
const strays = 'nothing crashes or fails unexpectedly';
const keys = 'no key stays for ever';

/** The limit is 2: two hold at once, a third comes after one of them has released. */
const good = () =>
  new Story()
    .grant(0, 10, a, 1)
    .grant(0, 20, b, 1)
    .ask(0, c, 1)
    .snapshot(25, [permitId(a, 1), permitId(b, 1)], [permitId(c, 1)])
    .release(30, a, 1)
    .tell(32, c, { kind: 'granted', request: 1, permit: permitId(c, 1), token: 1_032, weight: 1, held: true })
    .release(40, b, 1)
    .release(50, c, 1);

test('a history in which all is well breaks no promise', () => {
  expect(broken(good().end(100))).toEqual({});
});

describe('over-issue', () => {
  const unreleased = () => new Story().grant(0, 10, a, 1).grant(0, 20, b, 1).grant(0, 40, c, 1);
  const third = (releasedAt: number) => unreleased().release(releasedAt, a, 1);

  test('is a grant while all units are relied on', () => {
    expect(broken(third(50).end(100))).toEqual({ [overIssue]: '1 + 0', [told]: '1 + 0' });
    expect(broken(third(30).end(100))).toEqual({});
  });

  test('counts weight', () => {
    expect(broken(new Story().grant(0, 10, a, 1, { weight: 2 }).grant(0, 20, b, 1).end(100))).toHaveProperty([
      overIssue,
    ]);
  });

  test('is none after a permit was lost, or its holder was killed', () => {
    expect(broken(unreleased().lose(35, a, 1).end(300))).toEqual({});
    expect(broken(unreleased().note(35, { kind: 'killed', worker: a }).end(300))).toEqual({});
  });

  test('is one also if the holder was lost before, and went on to trust its permit', () => {
    const story = unreleased()
      .tell(90, a, { kind: 'trusts', permit: permitId(a, 1) })
      .lose(95, a, 1, 35);
    expect(broken(story.end(300))).toMatchObject({ [overIssue]: '1 + 0' });
  });

  test('is none while the holder did not run, if it is told at once when it runs again', () => {
    expect(broken(unreleased().lose(800, a, 1, 25).end(1_000))).toEqual({});
    const tickedFirst = unreleased().tell(799, a, { kind: 'lagged', from: 25_000 }).lose(800, a, 1, 799);
    expect(broken(tickedFirst.end(1_000))).toEqual({});
  });

  test('follows the limit as it is set', () => {
    const resized = (limit: number) =>
      third(50).note(35, { kind: 'resized', asked: 30_000, limit }).end(100, { limit });
    expect(broken(resized(3))).toEqual({});
    expect(broken(resized(1))).toHaveProperty([overIssue]);
  });

  test('follows an earlier limit if data was lost before everybody had heard of the new one', () => {
    const flushed = (flushedAt: number) =>
      new Story()
        .grant(0, 10, a, 1)
        .grant(15_000, 20_000, b, 1)
        .note(200, { kind: 'resized', asked: 190_000, limit: 1 })
        .fault(flushedAt, flushedAt, 'flush')
        .release(20_100, a, 1)
        .release(20_100, b, 1)
        .end(21_000, { limit: 1 });
    expect(broken(flushed(210))).not.toHaveProperty([overIssue]);
    expect(broken(flushed(10_000))).toMatchObject({ [overIssue]: '1 + 0' });
  });

  test('is in a documented window if a newcomer is granted after a FLUSHALL, and outside it if an old client is', () => {
    const newcomer = third(50).fault(30, 31, 'flush').end(100);
    expect(broken(newcomer)).toMatchObject({ [overIssue]: '0 + 1' });
    const unheard = new Story()
      .ask(0, c, 7)
      .tell(5, c, { kind: 'refused', request: 7, outcome: 'timed out' });
    unheard.grant(0, 10, a, 1).grant(0, 20, b, 1).grant(0, 40, c, 1).release(50, a, 1);
    expect(broken(unheard.fault(30, 31, 'flush').end(100))).toMatchObject({ [overIssue]: '0 + 1' });
    const old = third(50).fault(30, 31, 'flush').tell(5, c, { kind: 'restored', permits: 0, waiters: 0 });
    (old.workers.get(c) ?? []).sort((x, y) => x.at - y.at);
    expect(broken(old.end(100))).toMatchObject({ [overIssue]: '1 + 0' });
  });

  test('is in a documented window after a failover that may have lost writes, and outside it after a planned one', () => {
    expect(broken(third(50).fault(30, 45, 'kill-primary').end(100))).toMatchObject({ [overIssue]: '0 + 1' });
    expect(broken(third(50).fault(30, 45, 'planned-failover').end(100))).toMatchObject({
      [overIssue]: '1 + 0',
    });
    const late = new Story()
      .grant(0, 10, a, 1)
      .grant(0, 20, b, 1)
      .grant(0, 8_000, c, 1)
      .release(8_100, a, 1)
      .release(8_100, b, 1);
    expect(broken(late.fault(30, 45, 'kill-primary').end(9_000))).toMatchObject({ [overIssue]: '1 + 0' });
  });

  test('is outside the windows at the cost of who was granted when a failover, a FLUSHALL or a leap of the clock was over', () => {
    const story = (granted: number) =>
      new Story()
        .grant(0, granted, a, 1)
        .grant(0, granted + 1, b, 1)
        .grant(granted, granted + 20, c, 1)
        .release(granted + 30, a, 1)
        .release(granted + 30, b, 1);
    for (const kind of ['kill-primary', 'flush', 'clock-forward'] as const) {
      const struck = (granted: number) => broken(story(granted).fault(30, 45, kind).end(2_000));
      expect(struck(28)).toMatchObject({ [overIssue]: '0 + 1' });
      expect(struck(1_000)).toMatchObject({ [overIssue]: '1 + 0' });
    }
  });

  test('is in a documented window if a holder could not check in after a FLUSHALL', () => {
    const old = third(50)
      .grant(1, 2, c, 7)
      .release(3, c, 7)
      .fault(30, 31, 'flush')
      .fault(25, 2_000, 'away', 0);
    expect(broken(old.end(3_000))).toMatchObject({ [overIssue]: '0 + 1' });
  });

  test("is in a documented window after the server's clock was set forward, until the leases of then have ended", () => {
    expect(broken(third(50).fault(30, 30, 'clock-forward').end(100))).toMatchObject({ [overIssue]: '0 + 1' });
    const late = new Story()
      .fault(1, 1, 'clock-forward')
      .grant(0, 5_010, a, 1)
      .grant(0, 5_020, b, 1)
      .grant(0, 5_040, c, 1);
    expect(broken(late.end(6_000))).toMatchObject({ [overIssue]: '1 + 0' });
  });

  test("is in a documented window if a holder did not run when the server's clock was set forward, until it has heard", () => {
    const story = (resumed: number) =>
      new Story()
        .fault(1, 1, 'clock-forward')
        .fault(0, resumed, 'stop', 0)
        .grant(0, 5_010, a, 1)
        .grant(0, 5_020, b, 1)
        .grant(0, 5_040, c, 1)
        .end(6_000);
    expect(broken(story(5_000))).toMatchObject({ [overIssue]: '0 + 1' });
    expect(broken(story(3_000))).toMatchObject({ [overIssue]: '1 + 0' });
  });

  test('is seen in Redis too', () => {
    const three = [permitId(a, 1), permitId(b, 1), permitId(c, 1)];
    const rising = good().snapshot(60, three.slice(1), []).snapshot(61, three, []);
    expect(broken(rising.end(100))).toMatchObject({ [serverCount]: '1 + 0' });
    const shrunk = good().snapshot(60, three, [], { limit: 3 }).snapshot(61, three, [], { limit: 2 });
    expect(broken(shrunk.end(100))).not.toHaveProperty([serverCount]);
    const flushed = good().fault(55, 56, 'flush').snapshot(60, [], []);
    expect(broken(flushed.snapshot(61, three, []).end(100))).not.toHaveProperty([serverCount]); // put back
    const fresh = [permitId(a, 2), permitId(b, 2), permitId(c, 2)];
    const granted = good().fault(55, 56, 'flush').snapshot(60, three.slice(1), []);
    expect(broken(granted.snapshot(61, fresh, []).end(100))).toMatchObject({ [serverCount]: '1 + 0' });
    const put = (...faults: ['flush' | 'failover' | 'planned-failover', number]) =>
      good()
        .snapshot(60, three.slice(0, 2), [])
        .fault(faults[1], faults[1] + 1, faults[0])
        .snapshot(70, [...three.slice(0, 2), permitId(a, 2), permitId(b, 2)], []);
    expect(broken(put('failover', 65).end(100))).not.toHaveProperty([serverCount]); // lost, and put back at once
    expect(broken(put('flush', 65).end(100))).not.toHaveProperty([serverCount]);
    expect(broken(put('planned-failover', 65).end(100))).toMatchObject({ [serverCount]: '1 + 0' });
    expect(broken(put('failover', 50).end(100))).toMatchObject({ [serverCount]: '1 + 0' });
    const many = put('failover', 65).snapshot(
      71,
      [...three, permitId(a, 3), permitId(b, 3), permitId(c, 3)],
      [],
    );
    expect(broken(many.end(100))).toMatchObject({ [serverCount]: '1 + 0' });
    const torn = good().snapshot(60, three.slice(1), [], { held: 1 });
    expect(broken(torn.end(100))).toMatchObject({ [serverCount]: '1 + 0' });
  });

  test('is seen by the store that they enter', () => {
    const enter = (story: Story, ms: number, worker: string, evicted: string[] = []) =>
      story.note(ms, { kind: 'store entered', permit: permitId(worker, 1), weight: 1, inside: 2, evicted });
    const enters = (story: Story) => enter(enter(enter(story, 12, a), 22, b), 45, c, [permitId(a, 1)]);
    expect(broken(enters(third(90)).end(100))).toMatchObject({ [store]: '1 + 0' });
    expect(broken(enters(third(30)).end(100))).toEqual({});
    const refused = enter(enter(third(90), 12, a), 22, b).note(45, {
      kind: 'store refused',
      permit: permitId(c, 1),
      doing: 'enter',
    });
    expect(broken(refused.end(100))).toMatchObject({ [store]: '1 + 0' });
  });
});

describe('order', () => {
  test('is broken by a grant while somebody who stood before still waits', () => {
    const line = [permitId(a, 1), permitId(b, 1)];
    const story = new Story()
      .ask(0, a, 1)
      .snapshot(10, [], line)
      .grant(0, 20, b, 1)
      .snapshot(30, [permitId(b, 1)], [permitId(a, 1)]);
    expect(broken(story.end(100))).toMatchObject({ [overtaking]: '1 + 0' });
  });

  test('is broken by a line that was put back in another order', () => {
    const [first, second] = [permitId(a, 1), permitId(b, 1)];
    const story = new Story()
      .ask(0, a, 1)
      .grant(1, 2, b, 7)
      .release(3, b, 7)
      .snapshot(10, [], [first, second])
      .fault(12, 13, 'flush')
      .snapshot(15, [], [second, first])
      .grant(0, 20, b, 1)
      .snapshot(30, [second], [first]);
    expect(broken(story.end(100))).toMatchObject({ [overtaking]: '1 + 0' });
  });

  test('is in a documented window if who waited could not check in while the semaphore was closed, until it is back', () => {
    const [first, second] = [permitId(a, 1), permitId(b, 1)];
    const story = (at: number, ...besides: (readonly [...Parameters<Story['fault']>])[]) => {
      const one = new Story()
        .ask(0, a, 1)
        .grant(1, 2, b, 7)
        .release(3, b, 7)
        .snapshot(10, [], [first, second])
        .fault(100, 1_000, 'forget')
        .grant(0, at, b, 1)
        .snapshot(at + 100, [second], [first]);
      for (const fault of besides) one.fault(...fault);
      return broken(one.end(at + 1_000));
    };
    const inWindow = { [overtaking]: '0 + 1' };
    const outside = { [overtaking]: '1 + 0' };
    expect(story(2_100)).toMatchObject(outside); // reached Redis as soon as anybody
    expect(story(2_100, [950, 2_200, 'stop', 0])).toMatchObject(inWindow);
    expect(story(2_100, [950, 2_200, 'stop', 1])).toMatchObject(outside);
    expect(story(2_100, [950, 1_200, 'stop', 0])).toMatchObject(outside); // back in time
    expect(story(2_100, [950, 2_200, 'silent-messages', 0])).toMatchObject(outside); // could check in
    expect(story(2_300, [1_100, 2_200, 'restart'])).toMatchObject(inWindow);
    expect(story(2_100, [1_400, 1_400, 'resize'])).toMatchObject(outside);
    expect(story(6_500, [950, 3_000, 'away', 0])).toMatchObject(outside);
  });

  test('is not broken by who passes somebody that said nothing for its presence time, wherever that comes back', () => {
    const [first, second] = [permitId(a, 1), permitId(b, 1)];
    const story = (from: number, ...kind: [Parameters<Story['fault']>[2], number]) =>
      broken(
        new Story()
          .ask(0, a, 1)
          .grant(0, 4_000, b, 1)
          .snapshot(10, [], [first, second])
          .fault(from, 4_050, ...kind)
          .snapshot(4_100, [second], [first])
          .end(5_000),
      );
    expect(story(2_100, 'away', 0)).not.toHaveProperty([overtaking]);
    expect(story(3_000, 'away', 0)).toMatchObject({ [overtaking]: '1 + 0' });
    expect(story(2_100, 'away', 1)).toMatchObject({ [overtaking]: '1 + 0' });
    expect(story(2_100, 'silent-messages', 0)).toMatchObject({ [overtaking]: '1 + 0' });
  });

  test('is broken by a newcomer who is granted past a line', () => {
    const story = new Story()
      .ask(0, a, 1)
      .snapshot(10, [], [permitId(a, 1)])
      .grant(15, 20, b, 1)
      .snapshot(30, [permitId(b, 1)], [permitId(a, 1)]);
    expect(broken(story.end(100))).toMatchObject({ [overtaking]: '1 + 0' });
  });

  test('is broken by a lower token for who stood behind', () => {
    const story = (token: number) =>
      new Story()
        .grant(0, 20, a, 1, { token })
        .grant(0, 21, b, 1, { token: 7 })
        .snapshot(10, [], [permitId(a, 1), permitId(b, 1)]);
    expect(broken(story(50_000).end(100))).toMatchObject({ [order]: '1 + 0' });
    expect(broken(story(6).end(100))).not.toHaveProperty([order]);
    expect(broken(story(50_000).fault(5, 15, 'cut', 0).end(100))).not.toHaveProperty([order]);
    expect(broken(story(50_000).fault(5, 15, 'cut', 1).end(100))).toHaveProperty([order]);
  });

  test('is broken by slightly lower tokens, unless they are as rare as check-ins that are faster than a message', () => {
    const story = (times: number) => {
      const one = new Story();
      for (let i = 1; i <= times; i++) {
        one
          .grant(i * 100, i * 100 + 20, a, i, { token: i * 100_000 + 8 })
          .grant(i * 100, i * 100 + 21, b, i, { token: i * 100_000 + 7 })
          .snapshot(i * 100 + 10, [], [permitId(a, i), permitId(b, i)])
          .release(i * 100 + 30, a, i)
          .release(i * 100 + 30, b, i);
      }
      return one.end(times * 100 + 100);
    };
    expect(broken(story(1))).toEqual({ [order]: '0 + 1' });
    expect(broken(story(2))).toEqual({ [order]: '2 + 0' });
  });

  test('is not broken by a record that a late copy of its acquire brings back for a moment', () => {
    const story = new Story()
      .ask(0, b, 1)
      .snapshot(10, [], [permitId(b, 1)])
      .grant(0, 20, b, 1)
      .ask(22, a, 1)
      .snapshot(25, [], [permitId(a, 1), permitId(b, 1)])
      .snapshot(30, [], [permitId(a, 1)]);
    expect(broken(story.end(100))).not.toHaveProperty([overtaking]);
  });

  test('is not broken by who passes a record whose request had ended, or that had its turn and came back', () => {
    const [first, second] = [permitId(a, 1), permitId(b, 1)];
    const story = () => new Story().ask(0, a, 1).snapshot(10, [], [first, second]).grant(0, 30, b, 1);
    const passed = (one: Story) => one.snapshot(35, [second], [first]).end(100);
    expect(broken(passed(story()))).toHaveProperty([overtaking]);
    const over = story().tell(20, a, { kind: 'refused', request: 1, outcome: 'timed out' });
    expect(broken(passed(over))).not.toHaveProperty([overtaking]);
    const served = new Story().ask(0, a, 1).snapshot(10, [], [first, second]).snapshot(20, [first], [second]);
    expect(broken(passed(served.grant(0, 30, b, 1)))).not.toHaveProperty([overtaking]);
    const ahead = new Story()
      .ask(0, a, 1)
      .snapshot(10, [first], [second])
      .snapshot(20, [], [first, second])
      .grant(0, 30, b, 1);
    expect(broken(passed(ahead))).toHaveProperty([overtaking]); // it was put back, and stood before it then
  });

  test('is kept by who left the line', () => {
    const story = new Story()
      .ask(0, a, 1)
      .tell(15, a, { kind: 'refused', request: 1, outcome: 'timed out' })
      .grant(0, 20, b, 1)
      .snapshot(10, [], [permitId(a, 1), permitId(b, 1)])
      .snapshot(30, [permitId(b, 1)], []);
    expect(broken(story.end(100))).toEqual({});
  });
});

describe('tokens', () => {
  test('must not come twice', () => {
    const story = new Story().grant(0, 10, a, 1, { token: 5 }).grant(5, 20, b, 1, { token: 5 });
    expect(broken(story.end(100))).toMatchObject({ [tokens]: '1 + 0' });
  });

  test('must be higher for who asks after another was granted', () => {
    const story = () => new Story().grant(0, 10, a, 1, { token: 5 }).grant(15, 20, b, 1, { token: 4 });
    expect(broken(story().end(100))).toMatchObject({ [tokens]: '1 + 0' });
    const documented = story().fault(1, 2, 'clock-back').fault(12, 13, 'flush').end(100);
    expect(broken(documented)).toMatchObject({ [tokens]: '0 + 1' });
  });
});

describe('losses', () => {
  test('must be told before another is granted, by a process that runs', () => {
    const story = (lostAt: number, tickedAt: number) =>
      new Story()
        .grant(0, 10, a, 1)
        .grant(0, 20, b, 1)
        .grant(0, 40, c, 1)
        .lose(lostAt, a, 1, tickedAt)
        .end(1_000);
    expect(broken(story(100, 95))).toMatchObject({ [told]: '1 + 0' });
    expect(broken(story(35, 30))).toEqual({});
    expect(broken(story(500, 30))).toEqual({});
  });

  test('are final', () => {
    const held = good()
      .grant(60, 61, a, 2)
      .lose(70, a, 2)
      .tell(71, a, { kind: 'trusts', permit: permitId(a, 2) });
    expect(broken(held.end(100))).toMatchObject({ [revival]: '1 + 0' });
    const twice = good()
      .grant(60, 61, a, 2)
      .tell(70, a, {
        kind: 'granted',
        request: 2,
        permit: permitId(a, 2),
        token: 9_999,
        weight: 1,
        held: true,
      });
    expect(broken(twice.end(100))).toMatchObject({ [revival]: '1 + 0' });
  });

  test('make releases say false', () => {
    const story = (result: boolean | string) =>
      good().grant(60, 61, a, 2).lose(70, a, 2).release(75, a, 2, { result, held: false }).end(100);
    expect(broken(story(true))).toMatchObject({ [releases]: '1 + 0' });
    expect(broken(story(false))).toEqual({});
    expect(broken(story('PERMIT_NOT_HELD'))).toEqual({});
  });
});

describe('releases', () => {
  test('succeed once', () => {
    const again = good().tell(60, a, {
      kind: 'released',
      permit: permitId(a, 1),
      which: 'again',
      result: true,
    });
    expect(broken(again.end(100))).toMatchObject({ [releases]: '1 + 0' });
  });

  test('succeed for what is held', () => {
    const story = () => good().grant(60, 61, a, 2).release(75, a, 2, { result: false });
    expect(broken(story().end(100))).toEqual({ [releases]: '1 + 0' });
    expect(broken(story().fault(65, 66, 'cut', 0).end(100))).toEqual({});
  });

  test("don't succeed for what somebody else holds", () => {
    const foreign = good().tell(35, c, {
      kind: 'released',
      permit: permitId(b, 1),
      which: 'foreign',
      result: true,
    });
    expect(broken(foreign.end(100))).toMatchObject({ [releases]: '1 + 0' });
  });

  test('free the unit in Redis', () => {
    const story = () => good().snapshot(1_500, [permitId(a, 1)], []);
    expect(broken(story().end(20_001))).toMatchObject({ [lingering]: '1 + 0' });
    expect(broken(story().fault(20, 25, 'cut', 0).end(20_001))).not.toHaveProperty([lingering]);
    const late = good()
      .snapshot(20_000, [permitId(a, 1)], [])
      .fault(20, 25, 'cut', 0);
    expect(broken(late.end(20_001))).toMatchObject({ [lingering]: '1 + 0' });
  });
});

test('data must not be put back when none was lost', () => {
  const restored = () => good().tell(60, a, { kind: 'restored', permits: 1, waiters: 1 });
  expect(broken(restored().end(100))).toEqual({ [restoration]: '1 + 0' });
  expect(broken(restored().fault(55, 56, 'flush').end(100))).toEqual({});
});

test('a grant to a request that has given up must not stay', () => {
  const story = good()
    .ask(60, a, 2)
    .tell(70, a, { kind: 'refused', request: 2, outcome: 'timed out' })
    .snapshot(1_500, [permitId(a, 2)], []);
  expect(broken(story.end(2_000))).toEqual({ [lingering]: '1 + 0' });
});

describe('after the faults', () => {
  test('every request of a living worker must be settled', () => {
    const open = () => good().ask(60, a, 2);
    expect(broken(open().end(100))).toMatchObject({ [served]: '1 + 0' });
    expect(broken(open().note(90, { kind: 'killed', worker: a }).end(100))).toEqual({});
    const late = good().end(100).grant(60, 60_000, a, 2);
    expect(broken(late)).toMatchObject({ [served]: '1 + 0' });
  });

  test('every unit must have come back, and the limit be the one that was set', () => {
    expect(broken(good().end(100, { held: 1 }))).toEqual({ [returned]: '1 + 0' });
    expect(broken(good().end(100, { waiting: 1 }))).toEqual({ [returned]: '1 + 0' });
    expect(broken(good().end(100, { limit: 3 }))).toEqual({ [returned]: '1 + 0' });
    expect(broken(good().end(100, { probeMs: null }))).toEqual({ [returned]: '1 + 0' });
    expect(broken(good())).toEqual({ [returned]: '1 + 0' });
  });
});

describe('at no time', () => {
  test('may an error be thrown where nobody can catch it, a process end unasked, or a call fail in an unknown way', () => {
    expect(broken(good().tell(60, a, { kind: 'stray', error: 'rejected' }).end(100))).toEqual({
      [strays]: '1 + 0',
    });
    const exited = good().note(60, { kind: 'exited', worker: a, code: 1, signal: null });
    expect(broken(exited.end(100))).toEqual({ [strays]: '1 + 0' });
    const failed = (code: string) =>
      good().ask(60, a, 2).tell(61, a, { kind: 'refused', request: 2, outcome: 'error', code }).end(100);
    expect(broken(failed('ERR_OF_NO_KIND'))).toEqual({ [strays]: '1 + 0' });
    expect(broken(failed('REDIS_UNAVAILABLE'))).toEqual({});
  });

  test('may a key be without a TTL', () => {
    expect(
      broken(
        good()
          .note(60, { kind: 'keys without ttl', keys: ['k'] })
          .end(100),
      ),
    ).toEqual({ [keys]: '1 + 0' });
  });
});
