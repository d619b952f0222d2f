// What happened at hosts, for their charts: starts, stops and losses, and the stretches in which nothing came.
import { ApiFault } from '../api/client';
import { logs } from '../api/logs';
import { queryRange } from '../api/prom';
import type { Range } from '../app/time';
import type { Annotation } from './plot';
import { linesOf, stretchesOf } from './series';
import { visible } from './text';

const MOST = 100;

export interface Annotations {
  events: Annotation[];
  warnings: string[];
}

const KINDS = 'agent_start|agent_stop|settings_reloaded|clock_step|queue_dropped|batch_rejected|collect_dropped';

/** Starts, stops and losses of the hosts that a matcher chooses, of all without one. That they cannot be had is a warning, no fault. */
export function hostEvents(matcher: string | undefined, range: Range, abort: AbortSignal): Promise<Annotations> {
  const query = `{input="events"${matcher === undefined ? '' : `, ${matcher}`}} | event=~"${KINDS}"`;
  return orWarning('events', async () => {
    const { data: page } = await logs({ query, start: range.start, end: range.end, direction: 'backward' }, undefined, abort, MOST);
    const events = page.result.map((entry) => ({ at: entry.ts / 1000, text: visible(`${entry.stream['instance'] ?? ''}: ${entry.attrs['event'] ?? entry.line.slice(0, 200)}`) }));
    return { events, warnings: page.cursor === null ? [] : [`only the newest ${MOST} events are drawn`] };
  });
}

/** Stretches in which a host was silent for four of its intervals, and of which no backlog came later. */
export function hostGaps(matcher: string | undefined, { start, end }: Range, step: number, abort: AbortSignal): Promise<Annotations> {
  const labels = `job="lightmetrics"${matcher === undefined ? '' : `, ${matcher}`}`;
  const query = `up{${labels}} == 0 unless on (instance) count_over_time(lmagent_up{${labels}}[${Math.max(60, step / 1000)}s])`;
  return orWarning('gaps', async () => {
    const { data: answer } = await queryRange(query, start, end, step, abort);
    const { times, lines } = linesOf(answer, start, end, step, (each) => each['instance'] ?? '');
    const gaps = lines.flatMap((line) => stretchesOf(line.values).map(([first, last]) => ({ at: times[first]!, to: times[last]!, text: `${line.name}: no batches` }))).sort((a, b) => a.at - b.at);
    return { events: gaps.slice(-MOST), warnings: gaps.length > MOST ? [`only the newest ${MOST} gaps are drawn`] : [] };
  });
}

async function orWarning(what: string, ask: () => Promise<Annotations>): Promise<Annotations> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ApiFault)) throw error;
    return { events: [], warnings: [`${what}: ${error.message}`] };
  }
}
