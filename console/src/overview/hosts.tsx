// The table's columns and rows.
import { useEffect, useState } from 'preact/hooks';
import { type Agent, droppedOf, gapsOf, STATES } from '../api/agents';
import type { Labels } from '../api/prom';
import { linkTo } from '../app/router';
import { age, bytes, count, percent } from '../ui/format';
import { memo } from '../ui/memo';
import { Sparkline } from '../ui/sparkline';
import { visible } from '../ui/text';
import { levelOf } from '../ui/thresholds';

export interface Column {
  id: string;
  title: string;
  isNumber?: boolean;
  /** Whether it cannot be left out. */
  isAlways?: boolean;
  /** What to sort by; without it the column has no order. */
  value?: (agent: Agent) => number | string | null;
}

export const COLUMNS: Column[] = [
  { id: 'host', title: 'Host', isAlways: true, value: (agent) => agent.agent_id },
  { id: 'state', title: 'State', value: (agent) => STATES[agent.state].rank },
  { id: 'seen', title: 'Last seen', value: (agent) => agent.last_seen_age_ms },
  { id: 'cpu', title: 'CPU', isNumber: true, value: (agent) => agent.current.cpu_busy_ratio },
  { id: 'memory', title: 'Memory', isNumber: true, value: (agent) => agent.current.memory_used_ratio },
  { id: 'disk', title: 'Disk', isNumber: true, value: (agent) => agent.current.disk_used_ratio },
  { id: 'net', title: 'Net ↓ / ↑', isNumber: true, value: (agent) => agent.current.network_receive_bytes_per_second },
  { id: 'load', title: 'Load 1m', isNumber: true, value: (agent) => agent.current.load1 },
  { id: 'seq', title: 'Sequence', isNumber: true, value: (agent) => agent.queues[0]?.highest_seq ?? null },
  { id: 'queue', title: 'Queue', isNumber: true, value: (agent) => agent.queue?.batches ?? null },
  { id: 'hour', title: 'CPU, 1 h' },
];

/** Those that the address does not leave out, by their ids between commas. */
export function columnsBut(hidden: string): Column[] {
  const ids = hidden.split(',');
  return COLUMNS.filter((column) => column.isAlways || !ids.includes(column.id));
}

/** By a column's id, with a minus for the largest first; what has no value comes last either way. */
export function compare(sort: string): (left: Agent, right: Agent) => number {
  const descending = sort.startsWith('-');
  const column = COLUMNS.find((each) => each.id === sort.replace(/^-/, '')) ?? COLUMNS[0]!;
  const value = column.value ?? COLUMNS[0]!.value!;
  return (left, right) => {
    const [a, b] = [value(left), value(right)];
    if (a === b) return left.agent_id < right.agent_id ? -1 : 1;
    if (a === null) return 1;
    if (b === null) return -1;
    return (a < b ? -1 : 1) * (descending ? -1 : 1);
  };
}

/** Whether every word stands in its name, its version or its labels, as `site=lab`. */
export function matches(agent: Agent, filter: string, state: string, labels: Labels = {}): boolean {
  if (state !== '' && agent.state !== state) return false;
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const text = [agent.agent_id, agent.version, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

const NARROW = '(max-width: 719px)';

/** What the style sheet gives a row: virtual rows need to know. */
export function useRowHeight(): number {
  const [narrow, set] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const onChange = () => set(media.matches);
    media.addEventListener('change', onChange);
    return () => media.removeEventListener('change', onChange);
  }, []);
  return narrow ? 196 : 52;
}

export function StateMark({ agent }: { agent: Agent }) {
  const known = STATES[agent.state] ?? { icon: '?', word: agent.state };
  return (
    <span class={`state ${agent.state}`}>
      <span aria-hidden="true">{known.icon}</span> <span>{known.word}</span>
    </span>
  );
}

function skewText(agent: Agent): string {
  const skew = agent.clock_skew_ms ?? 0;
  return agent.clock_suspect ? `clock ${age(Math.abs(skew))} ${skew > 0 ? 'behind' : 'ahead'}` : '';
}

/** A number with the word and mark of its level, where it has one. */
export function Level({ text, level }: { text: string; level: 'warn' | 'crit' | null }) {
  return level === null ? <>{text}</> : <span class={level}>{text} <span aria-hidden="true">{level === 'crit' ? '‼' : '!'}</span><span class="hidden"> {level === 'crit' ? 'critical' : 'warning'}</span></span>;
}

function Value({ label, className, title, children }: { label: string; className?: string; title?: string; children: preact.ComponentChildren }) {
  return <td role="cell" data-label={label} class={className ?? 'number'} title={title}>{children}</td>;
}

export const HostRow = memo(({ agent, index, seen, spark, hidden }: { agent: Agent; index: number; seen: string; spark: (number | null)[] | undefined; hidden: string }) => {
  const { current, queue } = agent;
  const { gaps, pending } = gapsOf(agent);
  const dropped = droppedOf(agent);
  const ids = hidden.split(',');
  const shows = (id: string) => !ids.includes(id);
  const now = spark?.findLast((value) => value !== null);
  return (
    <tr role="row" data-state={agent.state} aria-rowindex={index}>
      <th scope="row" role="rowheader">
        <a href={linkTo('hosts/' + encodeURIComponent(agent.agent_id))}>{visible(agent.agent_id)}</a>
        <small>{agent.version === '' ? '' : 'v' + visible(agent.version)}</small>
      </th>
      {shows('state') && <Value label="State" className=""><StateMark agent={agent} /><small>{agent.backlog ? 'delivering backlog' : ''}</small><small class="warn">{skewText(agent)}</small></Value>}
      {shows('seen') && <Value label="Last seen" className="" title={agent.last_seen ?? ''}>{seen}</Value>}
      {shows('cpu') && <Value label="CPU" className="number value"><Level text={percent(current.cpu_busy_ratio)} level={levelOf('cpu', current.cpu_busy_ratio)} /></Value>}
      {shows('memory') && <Value label="Memory" className="number value"><Level text={percent(current.memory_used_ratio)} level={levelOf('memory', current.memory_used_ratio)} /></Value>}
      {shows('disk') && <Value label="Disk" className="number value" title={visible(current.disk_mount ?? '')}><Level text={percent(current.disk_used_ratio)} level={levelOf('disk', current.disk_used_ratio)} /></Value>}
      {shows('net') && <Value label="Net ↓ / ↑" className="number value">{netText(current.network_receive_bytes_per_second, current.network_transmit_bytes_per_second)}</Value>}
      {shows('load') && <Value label="Load 1m" className="number value">{current.load1 === null ? '—' : current.load1.toFixed(2)}</Value>}
      {shows('seq') && (
        <Value label="Sequence">
          {agent.queues.length === 0 ? '—' : count(agent.queues[0]!.highest_seq)}
          <small class={gaps > 0 ? 'warn' : undefined}>{gaps === 0 && pending === 0 ? '' : `${count(gaps)} gaps${pending > 0 ? ` (${count(pending)} awaited)` : ''}`}</small>
        </Value>
      )}
      {shows('queue') && (
        <Value label="Queue" title={queue === null ? '' : bytes(queue.bytes)}>
          {count(queue?.batches)}<small class="warn">{dropped === null || dropped === 0 ? '' : `${count(dropped)} dropped`}</small>
        </Value>
      )}
      {shows('hour') && <Value label="CPU, 1 h" className="value">{spark === undefined ? '—' : <Sparkline values={spark} max={1} label={`CPU of the last hour, now ${percent(now)}`} />}</Value>}
    </tr>
  );
});

export function netText(receive: number | null, transmit: number | null): string {
  return receive === null || transmit === null ? '—' : `${bytes(receive)}/s / ${bytes(transmit)}/s`;
}
