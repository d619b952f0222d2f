// All hosts at a glance: one request for all of them, again when the live stream tells of new batches.
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { type Agent, droppedOf, type Fleet, fleet, gapsOf, type State, STATES } from '../api/agents';
import { down } from '../api/client';
import { LiveStream } from '../api/live';
import { numberOf, queryRange } from '../api/prom';
import { query, setParams } from '../app/router';
import { liveText } from '../app/shell';
import { age, count } from '../ui/format';
import { hasNoStream, liveStateText } from '../ui/livestate';
import { type Resource, useResource } from '../ui/resource';
import { Loaded, useClock } from '../ui/states';
import { useSlice } from '../ui/virtual';
import { visible } from '../ui/text';
import { type Group, groupings, groupsOf, type HostLabels, labelsOfHosts, statesOf } from './groups';
import { COLUMNS, columnsBut, compare, HostRow, matches, StateMark, useRowHeight } from './hosts';
import { csv, save } from '../ui/csv';

// A refresh after a batch waits this long for more of them; fleets whose batches never stop are asked at this pace, large ones more slowly.
const GATHER_MS = 2_000;
const GATHER_MS_PER_HOST = 5;

// Hosts that fall silent send no event: their state is asked for all the same.
const POLL_MS = 10_000;
const SPARK_MS = 60_000;
const SPARK_STEP_MS = 120_000;
const SPARK_POINTS = 30;
const LABELS_MS = 300_000;
const NO_LABELS: HostLabels = new Map();

/** Each is a table of its own. */
const GROUPS_MAX = 100;

const CPU_BUSY = '1 - sum by (instance) (rate(lightmetrics_host_cpu_seconds_total{job="lightmetrics",mode=~"idle|iowait"}[5m]))'
  + ' / sum by (instance) (rate(lightmetrics_host_cpu_seconds_total{job="lightmetrics"}[5m]))';

export function Overview() {
  const agents = useResource('fleet', fleet);
  useLive(agents);
  const sparks = useSparklines();
  return (
    <Loaded of={agents} tall>
      {(data) => (
        <>
          {data.notices.length > 0 && <p class="notice" role="status">{data.notices.join('\n')}</p>}
          {data.agents.every((agent) => agent.state === 'unseen') && <FirstSteps />}
          {data.agents.length > 0 && <Hosts agents={data.agents} at={agents.at.value ?? 0} sparks={sparks} />}
        </>
      )}
    </Loaded>
  );
}

function useLive(agents: Resource<Fleet>): void {
  const stream = useSignal<LiveStream | null>(null);
  useEffect(() => {
    let due = 0;
    const soon = () => {
      if (due === 0) due = window.setTimeout(() => { due = 0; if (!document.hidden) agents.reload(); }, Math.max(GATHER_MS, GATHER_MS_PER_HOST * (agents.data.peek()?.agents.length ?? 0)));
    };
    const live = new LiveStream({ events: 'batch' }, soon);
    stream.value = live;
    live.start();
    const timer = setInterval(() => { if (!document.hidden && down.value === null) agents.reload(); }, POLL_MS);
    return () => {
      live.stop();
      clearInterval(timer);
      clearTimeout(due);
      liveText.value = null;
    };
  }, []);
  const at = useClock();
  const state = stream.value?.state.value;
  const since = agents.at.value === null ? null : at - agents.at.value;
  useEffect(() => {
    const link = state === undefined ? 'connecting' : hasNoStream(state) ? '▲ not live' : liveStateText(state, at);
    liveText.value = { text: since === null ? 'loading…' : `${link}, updated ${age(since)} ago`, stale: since !== null && since > 2 * POLL_MS, why: state !== undefined && hasNoStream(state) ? liveStateText(state, at) : undefined };
  });
}

type Sparks = Map<string, (number | null)[]>;

function useSparklines(): Sparks | null {
  const kept = useSignal<Sparks | null>(null);
  useEffect(() => {
    const abort = new AbortController();
    const ask = () => {
      if (document.hidden || down.value !== null) return;
      // The table stands without its small lines; the banner tells when the collector is away.
      sparklines(abort.signal).then((found) => { kept.value = found; }, () => undefined);
    };
    ask();
    const timer = setInterval(ask, SPARK_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, []);
  return kept.value;
}

/** Every host's CPU of the last hour in one request. */
async function sparklines(abort: AbortSignal): Promise<Sparks> {
  const end = Math.floor(Date.now() / SPARK_STEP_MS) * SPARK_STEP_MS;
  const start = end - SPARK_POINTS * SPARK_STEP_MS;
  const { data } = await queryRange(CPU_BUSY, start, end, SPARK_STEP_MS, abort);
  return new Map(data.result.map(({ metric, values }) => {
    const line = new Array<number | null>(SPARK_POINTS + 1).fill(null);
    for (const [time, value] of values) line[Math.round((time * 1000 - start) / SPARK_STEP_MS)] = numberOf(value);
    return [metric['instance'] ?? '', line];
  }));
}

function FirstSteps() {
  return (
    <section class="card" aria-labelledby="empty-title">
      <h2 id="empty-title">No agent has sent anything yet</h2>
      <ol>
        <li>Give the host a name and a token in the collector's <code>ingest-tokens.toml</code>.</li>
        <li>On the host, put the same token into the file that <code>auth_token_file</code> names, and set <code>agent_id</code> and <code>ingest_url</code> in <code>agent.toml</code>.</li>
        <li>Run <code>lm-agent --once /etc/lightmetrics/agent.toml</code>: it says what became of its first batch. Then run it with <code>--daemon</code>.</li>
      </ol>
      <p>This page shows the host by itself, within seconds of its first batch.</p>
    </section>
  );
}

function Totals({ agents }: { agents: Agent[] }) {
  const states = statesOf(agents);
  const waiting = agents.reduce((sum, agent) => sum + (agent.queue?.batches ?? 0), 0);
  const gaps = agents.reduce((sum, agent) => sum + gapsOf(agent).gaps, 0);
  const dropped = agents.reduce((sum, agent) => sum + (droppedOf(agent) ?? 0), 0);
  const text = `${agents.length} ${agents.length === 1 ? 'agent' : 'agents'}: ${[...states].reverse().map(({ state, hosts }) => `${hosts} ${STATES[state].word}`).join(', ')}`;
  return (
    <div class="totals">
      <p role="status" aria-live="polite">{text}</p>
      <p>{count(waiting)} {waiting === 1 ? 'batch waits' : 'batches wait'} at agents</p>
      <p class={gaps > 0 ? 'warn' : undefined}>{count(gaps)} {gaps === 1 ? 'gap' : 'gaps'}</p>
      <p class={dropped > 0 ? 'warn' : undefined}>{count(dropped)} {dropped === 1 ? 'batch' : 'batches'} dropped</p>
    </div>
  );
}

function Hosts({ agents, at, sparks }: { agents: Agent[]; at: number; sparks: Sparks | null }) {
  const filter = query.value.get('q') ?? '';
  const state = query.value.get('state') ?? '';
  const sort = query.value.get('sort') ?? 'host';
  const by = query.value.get('group') ?? '';
  const labels = useLabels(agents.length);
  const choices = useMemo(() => groupings(labels), [labels]);
  const shown = agents.filter((agent) => matches(agent, filter, state, labels.get(agent.agent_id))).sort(compare(sort));
  return (
    <>
      <Totals agents={agents} />
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="hidden" for="filter">Filter hosts</label>
        <input id="filter" data-search type="search" placeholder="Filter hosts by name, version or label=value" value={filter}
          onInput={(event) => setParams({ q: event.currentTarget.value === '' ? null : event.currentTarget.value })} />
        <label class="hidden" for="state">State</label>
        <select id="state" value={state} onChange={(event) => setParams({ state: event.currentTarget.value === '' ? null : event.currentTarget.value })}>
          <option value="">any state</option>
          {(Object.keys(STATES) as State[]).map((each) => <option key={each} value={each}>{STATES[each].word}</option>)}
        </select>
        <label class="hidden" for="group">Group by</label>
        <select id="group" value={by} onChange={(event) => setParams({ group: event.currentTarget.value || null, shut: null })}>
          <option value="">no groups</option>
          {(choices.includes(by) || by === '' ? choices : [...choices, by]).map((each) => <option key={each} value={each}>by {visible(each)}</option>)}
        </select>
        <label class="hidden" for="sort">Sort by</label>
        <select id="sort" class="narrow-only" value={sort} onChange={(event) => setParams({ sort: event.currentTarget.value })}>
          {COLUMNS.filter((column) => column.value).map((column) => <option key={column.id} value={column.id}>by {column.title}</option>)}
        </select>
        <ColumnChoice />
        <button type="button" class="plain" onClick={() => saveCsv(shown)}>CSV</button>
        <span class="soft" role="status">{shown.length === agents.length ? '' : `${shown.length} of ${agents.length}`}</span>
      </form>
      {shown.length === 0
        ? <p class="empty">No host matches. <button type="button" class="plain" onClick={() => setParams({ q: null, state: null })}>Clear filters</button></p>
        : by === '' ? <Table shown={shown} sort={sort} at={at} sparks={sparks} />
        : <Groups groups={groupsOf(shown, by, labels)} by={by} sort={sort} at={at} sparks={sparks} />}
    </>
  );
}

function ColumnChoice() {
  const hidden = (query.value.get('hide') ?? '').split(',').filter((id) => id !== '');
  return (
    <details class="choose">
      <summary>Columns</summary>
      <fieldset>
        <legend class="hidden">Columns</legend>
        {COLUMNS.filter((column) => !column.isAlways).map(({ id, title }) => (
          <label key={id} class="check">
            <input type="checkbox" checked={!hidden.includes(id)} onChange={(event) => setParams({ hide: (event.currentTarget.checked ? hidden.filter((each) => each !== id) : [...hidden, id]).join(',') || null })} /> {title}
          </label>
        ))}
      </fieldset>
    </details>
  );
}

function useLabels(hosts: number): HostLabels {
  const labels = useSignal<HostLabels>(NO_LABELS);
  useEffect(() => {
    const abort = new AbortController();
    const ask = () => {
      if (document.hidden || down.value !== null) return;
      // Without them hosts are grouped by what the table has.
      labelsOfHosts(abort.signal).then((found) => { labels.value = found; }, () => undefined);
    };
    ask();
    const timer = setInterval(ask, LABELS_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [hosts]);
  return labels.value;
}

function Groups({ groups, by, ...table }: { groups: Group[]; by: string; sort: string; at: number; sparks: Sparks | null }) {
  const shut = query.value.getAll('shut');
  return (
    <>
      {groups.slice(0, GROUPS_MAX).map(({ value, agents, worst, states }) => {
        const isOpen = !shut.includes(value);
        const name = value === '' ? `no ${visible(by)}` : `${visible(by)}=${visible(value)}`;
        return (
          <section key={value} aria-label={name} class="group">
            <h2>
              <button type="button" class="sort" aria-expanded={isOpen} onClick={() => setParams({ shut: isOpen ? [...shut, value] : shut.filter((each) => each !== value) })}>
                <span aria-hidden="true">{isOpen ? '▾' : '▸'}</span> {name} <span class="soft">({count(agents.length)})</span>
              </button>
              <span class="worst"><StateMark agent={worst} />{states.length > 1 && <span class="soft"> · {states.map(({ state, hosts }) => `${count(hosts)} ${STATES[state].word}`).join(', ')}</span>}</span>
            </h2>
            {isOpen && <Table shown={agents} name={name} {...table} />}
          </section>
        );
      })}
      {groups.length > GROUPS_MAX && <p class="soft">The first {GROUPS_MAX} of {count(groups.length)} groups: filter for the others.</p>}
    </>
  );
}

function Table({ shown, sort, at, sparks, name = 'Hosts' }: { shown: Agent[]; sort: string; at: number; sparks: Sparks | null; name?: string }) {
  const body = useRef<HTMLTableSectionElement>(null);
  const rowHeight = useRowHeight();
  const { first, last } = useSlice(body, shown.length, rowHeight);
  const isStale = useComputed(() => down.value !== null);
  const clock = useClock();
  const since = Math.max(0, clock - at);
  const hidden = query.value.get('hide') ?? '';
  return (
    <div class="scroll" role="region" aria-label={name === 'Hosts' ? name : `Hosts of ${name}`} tabIndex={0}>
      <table class={isStale.value ? 'hosts old' : 'hosts'} role="table" aria-rowcount={shown.length + 1}>
        <caption class="hidden">Hosts with their state, current values, sequences and queue</caption>
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            {columnsBut(hidden).map((column) => <Heading key={column.id} column={column} sort={sort} />)}
          </tr>
        </thead>
        <tbody role="rowgroup" ref={body}>
          {first > 0 && <tr class="space" aria-hidden="true" style={{ height: `${first * rowHeight}px` }} />}
          {shown.slice(first, last).map((agent, index) => (
            <HostRow key={agent.agent_id} agent={agent} index={first + index + 2} seen={agent.last_seen_age_ms === null ? '—' : `${age(agent.last_seen_age_ms + since)} ago`}
              spark={sparks?.get(agent.agent_id)} hidden={hidden} />
          ))}
          {last < shown.length && <tr class="space" aria-hidden="true" style={{ height: `${(shown.length - last) * rowHeight}px` }} />}
        </tbody>
      </table>
    </div>
  );
}

function Heading({ column, sort }: { column: (typeof COLUMNS)[number]; sort: string }) {
  const down = sort === '-' + column.id;
  const isSorted = down || sort === column.id;
  return (
    <th scope="col" role="columnheader" class={column.isNumber ? 'number' : undefined} aria-sort={isSorted ? (down ? 'descending' : 'ascending') : undefined}>
      {column.value
        ? (
          <button type="button" class="sort" onClick={() => setParams({ sort: isSorted && !down ? '-' + column.id : column.id })}>
            {column.title}<span aria-hidden="true">{isSorted ? (down ? '▼' : '▲') : ''}</span>
          </button>
        )
        : column.title}
    </th>
  );
}

function saveCsv(agents: Agent[]): void {
  save('hosts.csv', csv([
    ['host', 'state', 'last_seen', 'version', 'cpu_busy_ratio', 'memory_used_ratio', 'disk_used_ratio', 'disk_mount', 'network_receive_bytes_per_second',
      'network_transmit_bytes_per_second', 'load1', 'highest_seq', 'gaps', 'pending', 'queue_batches', 'queue_bytes', 'dropped'],
    ...agents.map((agent) => [
      agent.agent_id, agent.state, agent.last_seen, agent.version, agent.current.cpu_busy_ratio, agent.current.memory_used_ratio, agent.current.disk_used_ratio,
      agent.current.disk_mount, agent.current.network_receive_bytes_per_second, agent.current.network_transmit_bytes_per_second, agent.current.load1,
      agent.queues[0]?.highest_seq ?? null, gapsOf(agent).gaps, gapsOf(agent).pending, agent.queue?.batches ?? null, agent.queue?.bytes ?? null, droppedOf(agent),
    ]),
  ]));
}

