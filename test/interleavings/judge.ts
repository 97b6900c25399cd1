import { readRecord } from '../../src/redis/keys.ts';
import { readCallerText } from '../support/caller-text.ts';
import type { Machine } from './machine.ts';
import type { Executed } from './memoised-server.ts';
import { clientNames, epochUs, type Program } from './program.ts';
import type { Call, ClientView, Hold } from './simulated-client.ts';
import type { Past, World } from './world.ts';

/*
 * What must hold in every state, besides what `test/lua/invariants.ts` says of each script and what a client says of
 * itself. Judged from what users would see, not from how it is done.
 */

/** Nobody is granted ahead of a request that came into the line before it and still waits. */
export function judgeExecution(
  machine: Machine,
  world: World,
  call: Call,
  executed: Executed,
  faults: string[],
): Past {
  const before = machine.server.keys(world.data);
  const after = machine.server.keys(executed.after);
  let { line, window } = world.past;
  if (world.past.isFlushed && world.data === 0 && readCallerText(call.args[1]).epoch === 0)
    window = 'a stranger came first';
  const isNew = (record: string) => before.permits[record] === undefined && call.script !== 'restore';
  const granted = Object.keys(after.permits)
    .filter(isNew)
    .map((record) => requestOf(machine, world, record));
  for (const request of granted) {
    // Who has given up or is dead, and is still in line, has its place all the same.
    if (!stillWaits(machine, world, request)) continue;
    const ahead = line.includes(request) ? line.slice(0, line.indexOf(request)) : line;
    const overtaken = ahead.filter(
      (one) =>
        one[0] !== request[0] &&
        !granted.includes(one) &&
        stillWaits(machine, world, one) &&
        !world.parties[Number(one[0])]?.isHindered,
    );
    if (overtaken.length > 0 && window === 'none') {
      faults.push(`${nameOf(request)} is granted ahead of ${nameOf(overtaken[0] as string)}`);
    }
  }
  // What was granted and is lost with the data comes back to its old place, if its client does not know of the grant.
  if ((machine.program.faults?.flush ?? 0) === 0) line = line.filter((one) => !granted.includes(one));
  for (const record of after.waiters) {
    const request = requestOf(machine, world, record);
    if (!line.includes(request) && stillWaits(machine, world, request)) line = [...line, request];
  }
  return { ...world.past, line, window };
}

/** After every step. */
export function judgeParties(
  machine: Machine,
  before: World,
  world: World,
): { past: Past; faults: string[] } {
  const faults: string[] = [];
  const { program, server } = machine;
  const { permits } = server.keys(world.data);
  let { token, window } = world.past;
  const relied: { readonly no: number; readonly hold: Hold }[] = [];
  world.parties.forEach(({ life }, no) => {
    if (life !== 'runs') return;
    for (const hold of machine.view(world, no).holds) {
      if (world.nowMs < hold.deadlineMs) relied.push({ no, hold });
    }
  });
  for (const { no, hold } of relied) {
    const untilMs = (permits[hold.record] ?? 0) - Math.floor(epochUs / 1000);
    if (!world.past.isFlushed && untilMs <= world.nowMs) {
      faults.push(`${clientNames[no]} relies on ${hold.request}, which Redis may grant to another`);
    }
    const isNew = !machine.view(before, no).holds.some(({ record }) => record === hold.record);
    if (isNew && limitsOf(program).every((limit) => limit === 1)) {
      if (hold.token <= token && window === 'none') {
        faults.push(
          `${clientNames[no]} is granted ${hold.request} with a token that is not higher than the last`,
        );
      }
      token = Math.max(token, hold.token);
    }
  }
  if (world.past.isFlushed) {
    if (window === 'none' && relied.some(({ no }) => world.parties[no]?.isHindered))
      window = 'a holder was cut off';
    const units = relied.reduce((sum, { hold }) => sum + hold.weight, 0);
    if (units > Math.max(...limitsOf(program)) && window === 'none') {
      faults.push(`${units} units are relied on after a loss of data`);
    }
  }
  const line = world.past.line.filter((request) => stillWaits(machine, world, request));
  return { past: { ...world.past, line, token, window }, faults };
}

/** All limits that a program may come to. */
function limitsOf({ limit, clients }: Program): number[] {
  const ops = clients.flat(2);
  const set = ops.flatMap((op) => (op.do === 'resize' ? [op.limit] : []));
  return [
    limit,
    ...set,
    ...(ops.some((op) => op.do === 'gain') ? [Math.max(limit, ...set) + ops.length] : []),
  ];
}

/** Which request of which client a record is of: the last that was made before the record. */
function requestOf(machine: Machine, world: World, record: string): string {
  const parts = readRecord(record);
  const no = (clientNames as readonly (string | undefined)[]).indexOf(parts?.clientId);
  const { firstRecords }: ClientView = machine.view(world, no);
  const made = Object.entries(firstRecords).filter(([, first]) => first <= (parts?.requestNo ?? 0));
  return `${no}:${made.at(-1)?.[0] ?? '?'}`;
}

function stillWaits(machine: Machine, world: World, request: string): boolean {
  const [no, name] = request.split(':') as [string, string];
  const { requests }: ClientView = machine.view(world, Number(no));
  const pending = Object.values(requests).filter((state) => state === 'pending');
  // Of several requests under way at once, it can't be told from outside whose a new record is.
  return world.parties[Number(no)]?.life !== 'dead' && requests[name] === 'pending' && pending.length === 1;
}

function nameOf(request: string): string {
  const [no, name] = request.split(':');
  return `${clientNames[Number(no)]}'s ${name}`;
}
