// One host: its current values, charts of what it sends, its processes and its lines.
import { fleet, type Agent, droppedOf, gapsOf } from '../api/agents';
import { quoted, queryAt, numberOf, type Vector } from '../api/prom';
import { linkTo, query as params, setParams } from '../app/router';
import { aligned, range, stepOf } from '../app/time';
import { withFilter } from '../logs/query';
import { QueryForm } from '../logs/page';
import { LogView } from '../logs/view';
import { Level, netText, StateMark } from '../overview/hosts';
import { hostEvents, hostGaps } from '../ui/annotations';
import { EventList } from '../ui/chart';
import { age, bytes, count, inUnit, percent } from '../ui/format';
import { Panel, type PanelQuery } from '../ui/panel';
import type { ChartOptions } from '../ui/plot';
import { useResource } from '../ui/resource';
import { Loaded, Notes, useClock } from '../ui/states';
import { visible } from '../ui/text';
import { levelOf } from '../ui/thresholds';
import { type Facts, factsOf } from './facts';

const TABS = [['charts', 'Charts'], ['processes', 'Processes'], ['logs', 'Logs'], ['events', 'Events']] as const;

export function Host({ id }: { id: string }) {
  const agents = useResource('fleet', fleet);
  const facts = useFacts(id);
  const tab = params.value.get('tab') ?? 'charts';
  return (
    <>
      <p><a href={linkTo('')}>‹ Overview</a></p>
      <Loaded of={agents}>
        {(data) => {
          const agent = data.agents.find((each) => each.agent_id === id);
          return agent === undefined
            ? <p class="empty">The collector knows no agent of this name. Its series and lines, if there are any, are below.</p>
            : <Head agent={agent} at={agents.at.value ?? 0} facts={facts.data.value} />;
        }}
      </Loaded>
      <div class="tabs" role="tablist" aria-label="Views of the host" onKeyDown={onTabKey}>
        {TABS.map(([name, title]) => (
          <button key={name} type="button" role="tab" id={`tab-${name}`} class="plain" aria-selected={tab === name} aria-controls="tab-panel" tabIndex={tab === name ? 0 : -1}
            onClick={() => setParams({ tab: name === 'charts' ? null : name, q: null, line: null }, 'push')}>{title}</button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === 'logs' ? <HostLogs key="logs" base={`{instance=${quoted(id)}}`} empty="This host sent no line in this time range." />
          : tab === 'events' ? <HostLogs key="events" base={`{instance=${quoted(id)}, input="events"}`} empty="This host told of no event in this time range." />
          : tab === 'processes' ? <Processes id={id} /> : <Charts id={id} />}
      </div>
    </>
  );
}

function onTabKey(event: KeyboardEvent) {
  if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
  const tabs = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=tab]')];
  const at = tabs.indexOf(document.activeElement as HTMLElement);
  const next = tabs[(at + (event.key === 'ArrowRight' ? 1 : tabs.length - 1)) % tabs.length];
  next?.click();
  next?.focus();
}

function Card({ title, children, note }: { title: string; children: preact.ComponentChildren; note?: string }) {
  return <div class="stat"><dt>{title}</dt><dd class="value">{children}{note ? <small>{note}</small> : null}</dd></div>;
}

// What changes seldom is sent seldom.
const SELDOM = 'node_uname_info|node_os_info|node_cpu_info';
const OFTEN = 'node_boot_time_seconds|node_memory_Swap(Total|Free)_bytes|node_hwmon_temp_celsius|node_thermal_zone_temp|node_load5|node_load15';

function useFacts(id: string) {
  return useResource(`facts ${id}`, async (abort) => {
    const now = Date.now();
    const host = `instance=${quoted(id)},job="lightmetrics"`;
    const [seldom, often] = await Promise.all([
      queryAt(`last_over_time({__name__=~"${SELDOM}",${host}}[2h])`, now, abort),
      queryAt(`{__name__=~"${OFTEN}",${host}}`, now, abort),
    ]);
    return factsOf([seldom.data as Vector, often.data as Vector], now / 1000);
  });
}

// Charts and lines say why there are none of them; what a host is, is left out where the question fails.
function Head({ agent, at, facts }: { agent: Agent; at: number; facts: Facts | null }) {
  const { current, queue } = agent;
  const since = Math.max(0, useClock() - at);
  const { gaps, pending } = gapsOf(agent);
  const skew = agent.clock_skew_ms;
  return (
    <>
      <p class="host-line">
        <StateMark agent={agent} />
        {agent.last_seen_age_ms !== null && <> · seen {age(agent.last_seen_age_ms + since)} ago</>}
        {[facts?.system, facts?.kernel, facts?.processor].map((text) => text && <> · {visible(text)}</>)}
        {facts?.cores && <> · {facts.cores} core{facts.cores === 1 ? '' : 's'}</>}
        {agent.version !== '' && <> · agent {visible(agent.version)}</>}
        {agent.interval_ms !== null && <> · every {agent.interval_ms / 1000} s</>}
        {skew !== null && <> · <span class={agent.clock_suspect ? 'crit' : undefined}>clock {age(Math.abs(skew))} {skew >= 0 ? 'behind' : 'ahead'}</span></>}
        {agent.backlog && <> · delivering backlog</>}
      </p>
      <dl class={agent.state === 'up' ? 'stats' : 'stats old'}>
        <Card title="CPU"><Level text={percent(current.cpu_busy_ratio)} level={levelOf('cpu', current.cpu_busy_ratio)} /></Card>
        <Card title="Memory"><Level text={percent(current.memory_used_ratio)} level={levelOf('memory', current.memory_used_ratio)} /></Card>
        <Card title="Disk" note={current.disk_mount === '' ? "the agent's queue" : visible(current.disk_mount ?? '')}><Level text={percent(current.disk_used_ratio)} level={levelOf('disk', current.disk_used_ratio)} /></Card>
        <Card title="Network ↓ / ↑">{netText(current.network_receive_bytes_per_second, current.network_transmit_bytes_per_second)}</Card>
        <Card title="Load 1m" note={facts?.load5 == null || facts.load15 === null ? '' : `5m ${facts.load5.toFixed(2)}, 15m ${facts.load15.toFixed(2)}`}>
          {current.load1 === null ? '—' : <Level text={current.load1.toFixed(2)} level={facts?.cores ? levelOf('loadPerCore', current.load1 / facts.cores) : null} />}
        </Card>
        <Card title="Queue" note={queue === null ? '' : bytes(queue.bytes)}>{count(queue?.batches)}</Card>
        <Card title="Dropped"><span class={(droppedOf(agent) ?? 0) > 0 ? 'crit' : undefined}>{count(droppedOf(agent))}</span></Card>
        <Card title="Gaps" note={pending > 0 ? `${count(pending)} awaited` : ''}><span class={gaps > 0 ? 'crit' : undefined}>{agent.queues.length === 0 ? '—' : count(gaps)}</span></Card>
        {facts !== null && facts.swapUsedRatio !== null && <Card title="Swap"><Level text={percent(facts.swapUsedRatio)} level={levelOf('swap', facts.swapUsedRatio)} /></Card>}
        {facts !== null && facts.celsius !== null && <Card title="Hottest sensor"><Level text={inUnit(facts.celsius, 'celsius')} level={levelOf('celsius', facts.celsius)} /></Card>}
        {facts !== null && facts.upSeconds !== null && <Card title="Up for">{age(facts.upSeconds * 1000)}</Card>}
      </dl>
    </>
  );
}

type Definition = ChartOptions & { queries: PanelQuery[]; hideEmpty?: boolean; empty?: string };

// Series of the heartbeat, which every agent sends, and those named as node_exporter's, which only some do: their panels show where there are any.
function panelsOf(id: string): Definition[] {
  const host = `instance=${quoted(id)},job="lightmetrics"`;
  const device = (labels: Record<string, string>) => labels['device'] ?? '';
  return [
    {
      title: 'CPU by mode', unit: 'percent', style: 'area', stack: true, min: 0, max: 100,
      queries: [{
        expr: `100 * sum by (mode) (rate(lightmetrics_host_cpu_seconds_total{${host},mode!="idle"}[$rate])) / scalar(sum(rate(lightmetrics_host_cpu_seconds_total{${host}}[$rate])))`,
        legend: (labels) => labels['mode'] ?? '',
      }],
    },
    {
      title: 'CPU by core', unit: 'percent', min: 0, max: 100, hideEmpty: true,
      queries: [{ expr: `100 * (1 - sum by (cpu) (rate(node_cpu_seconds_total{${host},mode=~"idle|iowait"}[$rate])) / sum by (cpu) (rate(node_cpu_seconds_total{${host}}[$rate])))`, legend: (labels) => `cpu ${labels['cpu']}` }],
    },
    {
      title: 'Memory', unit: 'bytes', style: 'area', stack: true, min: 0,
      queries: [
        { expr: `node_memory_MemTotal_bytes{${host}} - node_memory_MemAvailable_bytes{${host}}`, legend: () => 'used' },
        { expr: `node_memory_MemAvailable_bytes{${host}}`, legend: () => 'available' },
      ],
    },
    {
      title: 'Load', unit: 'none', min: 0,
      queries: ['1', '5', '15'].map((minutes) => ({ expr: `node_load${minutes}{${host}}`, legend: () => `load ${minutes} min` })),
    },
    {
      title: 'Network', unit: 'bytes_per_second', min: 0,
      queries: [
        { expr: `rate(node_network_receive_bytes_total{${host}}[$rate])`, legend: (labels) => `${device(labels)} ↓` },
        { expr: `rate(node_network_transmit_bytes_total{${host}}[$rate])`, legend: (labels) => `${device(labels)} ↑` },
      ],
    },
    {
      title: 'Disk used', unit: 'percent', min: 0, max: 100,
      queries: [{
        expr: `100 * (1 - node_filesystem_avail_bytes{${host}} / node_filesystem_size_bytes{${host}})`
          + ` or 100 * (1 - lmagent_queue_filesystem_avail_bytes{${host}} / lmagent_queue_filesystem_size_bytes{${host}}) unless on (instance) node_filesystem_size_bytes{${host}}`,
        legend: (labels) => labels['mountpoint'] ?? "the agent's queue",
      }],
    },
    {
      title: 'Disk I/O', unit: 'bytes_per_second', min: 0, hideEmpty: true,
      queries: [
        { expr: `rate(node_disk_read_bytes_total{${host}}[$rate])`, legend: (labels) => `${device(labels)} read` },
        { expr: `rate(node_disk_written_bytes_total{${host}}[$rate])`, legend: (labels) => `${device(labels)} written` },
      ],
    },
    {
      title: 'Temperature', unit: 'none', hideEmpty: true,
      queries: [{ expr: `node_hwmon_temp_celsius{${host}}`, legend: (labels) => `${labels['chip']} ${labels['sensor']} °C` }],
    },
    {
      title: "Agent's queue", unit: 'count', min: 0, hideEmpty: true,
      queries: [{ expr: `lmagent_queue_batches{${host}}`, legend: () => 'batches' }],
    },
  ];
}

function Charts({ id }: { id: string }) {
  const step = stepOf(range.value, 300);
  const { start, end } = aligned(range.value, step);
  const host = `instance=${quoted(id)}`;
  // One question for all charts; without its answer they stand as they are.
  const marks = useResource(JSON.stringify([id, start, end]), async (abort) => {
    const found = await Promise.all([hostEvents(host, range.peek(), abort), hostGaps(host, { start, end }, step, abort)]);
    return { events: found.flatMap(({ events }) => events), warnings: found.flatMap(({ warnings }) => warnings) };
  }).data.value;
  return (
    <>
      {marks !== null && <Notes title="warning" lines={marks.warnings} />}
      {marks !== null && <EventList events={marks.events} />}
      <div class="panels">{panelsOf(id).map((panel) => <Panel key={`${id} ${panel.title}`} {...panel} events={marks?.events} listEvents={false} />)}</div>
    </>
  );
}

function HostLogs({ base, empty }: { base: string; empty: string }) {
  const query = params.value.get('q') ?? base;
  return (
    <>
      <QueryForm query={query} run={(text) => setParams({ q: text === base ? null : text, line: null }, 'push')} />
      <LogView query={query} showHost={false} empty={empty}
        filter={(name, value, keep) => { const next = withFilter(query, name, value, keep); if (next !== null) setParams({ q: next }, 'push'); }} />
    </>
  );
}

interface Process {
  pid: string;
  comm: string;
  memory: number | null;
  cpu: number | null;
}

function Processes({ id }: { id: string }) {
  const { end } = range.value;
  const host = `instance=${quoted(id)},job="lightmetrics"`;
  const found = useResource(`${id} ${end}`, async (abort) => {
    const [memory, cpu] = await Promise.all([
      queryAt(`lightmetrics_host_process_resident_memory_bytes{${host}}`, end, abort),
      queryAt(`rate(lightmetrics_host_process_cpu_seconds_total{${host}}[2m])`, end, abort),
    ]);
    const all = new Map<string, Process>();
    const add = (answer: Vector, set: (process: Process, value: number) => void) => {
      for (const { metric, value } of answer.result) {
        const key = `${metric['pid']} ${metric['start_time']}`;
        const process = all.get(key) ?? { pid: metric['pid'] ?? '', comm: metric['comm'] ?? '', memory: null, cpu: null };
        set(process, numberOf(value[1]));
        all.set(key, process);
      }
    };
    add(memory.data as Vector, (process, value) => { process.memory = value; });
    add(cpu.data as Vector, (process, value) => { process.cpu = value; });
    return [...all.values()].sort((a, b) => (b.memory ?? 0) - (a.memory ?? 0));
  });
  return (
    <Loaded of={found} tall>
      {(processes) => (processes.length === 0
        ? <p class="empty">No process was reported within five minutes before the end of the time range.</p>
        : (
          <div class="scroll" role="region" aria-label="Processes" tabIndex={0}>
            <table>
              <caption class="hidden">The processes that hold most memory</caption>
              <thead><tr><th scope="col">Process</th><th scope="col" class="number">PID</th><th scope="col" class="number">Memory</th><th scope="col" class="number">CPU, one core = 100 %</th></tr></thead>
              <tbody>
                {processes.map((process) => (
                  <tr key={process.pid}>
                    <th scope="row">{visible(process.comm)}</th><td class="number">{process.pid}</td>
                    <td class="number">{inUnit(process.memory, 'bytes')}</td><td class="number">{inUnit(process.cpu, 'ratio')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ))}
    </Loaded>
  );
}
