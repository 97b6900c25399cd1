import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { DemoEvent, Plan } from './events.ts';
import type { Finding } from './findings.ts';
import { lanesOf, sentenceOf, statusOf, wrap } from './timeline.ts';

/** Where the run is shown. Disposing of it gives the terminal back as it was. */
export interface Screen extends Disposable {
  /** Says something that stays. */
  say(text: string): void;
  /** Shows the run from now on. */
  follow(events: readonly DemoEvent[]): void;
  /** Shows the run as it was, and what came of it. */
  conclude(findings: readonly Finding[]): void;
}

/** A terminal: a picture of the run that is drawn anew ten times a second. */
export function liveScreen(plan: Plan): Screen {
  const render = createLogUpdate(process.stdout);
  // One column stays free: in the last one, some terminals break the line.
  const width = () => (process.stdout.columns || 80) - 1;
  const view = (nowMs: number) => ({ plan, nowMs, width: width(), colors: pc });
  let events: readonly DemoEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  return {
    say(text) {
      console.log(wrap(text, width()).join('\n'));
    },
    follow(newEvents) {
      events = newEvents;
      timer = setInterval(() => {
        const now = view(Date.now());
        render([...lanesOf(events, now), ...statusOf(events, now)].join('\n'));
      }, 100);
    },
    conclude(findings) {
      clearInterval(timer);
      render(lanesOf(events, view(events.at(-1)?.atMs ?? Date.now())).join('\n'));
      render.done();
      console.log(findings.flatMap((finding) => sentences(finding, width())).join('\n'));
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      render.done();
    },
  };
}

/** No terminal: a line every half second if it is news, and one for whatever goes wrong, with no escape codes. */
export function plainScreen(plan: Plan): Screen {
  let timer: NodeJS.Timeout | undefined;
  return {
    say: (text) => console.log(text),
    follow(events) {
      let told = 0;
      let said = '';
      timer = setInterval(() => {
        for (const event of events.slice(told)) {
          if (event.kind === 'killed') {
            console.log(
              `        worker ${event.worker} is killed (SIGKILL); what it had in hand goes to the others`,
            );
          } else if (event.kind === 'failed') {
            console.log(`        worker ${event.worker} failed with #${event.request}: ${event.reason}`);
          }
        }
        told = events.length;
        const sentence = sentenceOf(events, plan, Date.now());
        if (sentence !== said) console.log(sentence); // while the processes start, it is the same
        said = sentence;
      }, 500);
    },
    conclude(findings) {
      clearInterval(timer);
      for (const { ok, title, text } of findings) {
        console.log(`${ok === undefined ? '   ' : ok ? 'ok ' : 'NOT'} ${title}: ${text}`);
      }
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** A finding with a mark and a title in front, broken to the width. */
function sentences({ ok, title, text }: Finding, width: number): string[] {
  const mark = ok === undefined ? ' ' : ok ? pc.green('✔') : pc.red('✖');
  return wrap(text, width - 10).map((part, i) =>
    i === 0 ? `${mark} ${pc.bold(title.padEnd(8))}${part}` : `${' '.repeat(10)}${part}`,
  );
}
