import { Machine, type Step } from './machine.ts';
import type { MemoisedServer } from './memoised-server.ts';
import { clientNames, describeOp, opsOf, type Program } from './program.ts';
import { firstWorld, type Party, type World } from './world.ts';

/** Walks these steps once more and tells each in a line, for humans. Ends where something is wrong. */
export async function tell(
  program: Program,
  server: MemoisedServer,
  steps: readonly Step[],
): Promise<string[]> {
  const machine = new Machine(program, server);
  const lines: string[] = [];
  let world = firstWorld(program);
  for (const step of steps) {
    const what = describe(machine, world, step);
    const outcome = await machine.take(world, step);
    const view = step.to < 0 ? undefined : machine.view(outcome.world, step.to);
    const before = step.to < 0 ? undefined : world.parties[step.to]?.state;
    const isNews = view !== undefined && outcome.world.parties[step.to]?.state !== before;
    const more = isNews ? [...view.told, ...view.sent.map(({ no, script }) => `sends ${script} ${no}`)] : [];
    world = outcome.world;
    const { permits, waiters } = server.keys(world.data);
    const data = `${Object.keys(permits).join(' ') || 'nothing'} held, ${waiters.join(' ') || 'nobody'} in line`;
    lines.push(`${String(world.nowMs).padStart(6)} ms  ${[what, ...more].join('; ')}`);
    if (isExecution(step)) lines.push(`           (${data})`);
    if (outcome.faults.length > 0) return [...lines, ...outcome.faults.map((fault) => `        ✖  ${fault}`)];
  }
  return lines;
}

const isExecution = ({ kind }: Step) => ['execute', 'late', 'overtake'].includes(kind);

function describe(machine: Machine, world: World, { kind, to }: Step): string {
  const name = clientNames[to] ?? '';
  const party = world.parties[to] as Party;
  const call = (number: number | undefined) => {
    if (number === undefined) return 'nothing';
    const { script, no } = machine.call(number);
    return `${name}'s ${script} ${no}`;
  };
  switch (kind) {
    case 'op':
      return `${name} ${opsOf(machine.program.clients[to]?.[party.next] ?? [])
        .map(describeOp)
        .join(' and ')}`;
    case 'execute':
      return `Redis executes ${call(party.requests[0])}`;
    case 'late':
      return `Redis executes an old copy of ${call(party.late[0])}`;
    case 'overtake':
      return `Redis executes ${call(party.requests[1])} ahead of ${call(party.requests[0])}`;
    case 'reply':
      return `the reply to ${call(party.replies[0]?.call)} comes: ${party.replies[0]?.text}`;
    case 'message':
      return party.messages[0] === undefined
        ? `${name} hears messages now`
        : `${name} hears ${party.messages[0]}`;
    case 'double-message':
      return `${name} hears ${party.messages[0]}, which will come again`;
    case 'subscribe':
      return `Redis hears that ${name} listens`;
    case 'timer':
      return `a timer of ${name} runs`;
    case 'time':
      return 'time passes';
    case 'flush':
      return 'FLUSHALL';
    case 'lose-request':
      return `${call(party.requests[0])} is lost`;
    case 'lose-reply':
      return `the reply to ${call(party.replies[0]?.call)} is lost`;
    default:
      return `${name}: ${kind}`;
  }
}
