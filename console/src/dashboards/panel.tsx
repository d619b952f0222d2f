// A panel's frame: it asks when it comes near, and its menu has what one may want of it.
import type { ComponentChildren } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { ApiFault } from '../api/client';
import { nameOf } from '../api/prom';
import { linkTo, query as params, setParams } from '../app/router';
import { from, range, to } from '../app/time';
import { saveLines } from '../logs/view';
import { Chart } from '../ui/chart';
import { saveCsv, savePng } from '../ui/chartfiles';
import { copy } from '../ui/copy';
import { csv, save } from '../ui/csv';
import { useNear } from '../ui/near';
import { useResource } from '../ui/resource';
import { Fault, Loaded, Notes } from '../ui/states';
import { visible } from '../ui/text';
import { LINES, load, missingFor, type PanelData, planOf } from './data';
import { FillFault, type Fillings, fillText, fillUrl } from './fill';
import { Heatmap } from './heatmap';
import { useLiveLines } from './livelines';
import { Gauge, type KindProps, Link, LogLines, Stat, Status, Table, tableOf, Text } from './kinds';
import type { PanelDefinition } from './model';

const ROW = 32;
const GAP = 8;
const HEAD = 44;

const PICTURES: readonly PanelDefinition['kind'][] = ['timeseries', 'heatmap', 'gauge'];

export interface PanelProps {
  panel: PanelDefinition;
  fillings: Fillings;
  /** Rows of the grid; null where it has the page to itself. */
  rows: number | null;
  tools?: ComponentChildren;
}

export function DashboardPanel({ panel, fillings, rows, tools }: PanelProps) {
  const figure = useRef<HTMLElement>(null);
  const near = useNear(figure);
  const [queries, setQueries] = useState(false);
  const width = figure.current?.clientWidth ?? 600;
  const height = rows === null ? Math.max(300, window.innerHeight - 260) : rows * ROW + (rows - 1) * GAP - HEAD;
  const title = visible(fillText(panel.title ?? panel.id, fillings));
  const ask = { panel, fillings, range: range.value, width };
  const missing = missingFor(panel, fillings);
  const reload = useRef<() => void>(() => undefined);
  let fault: string | null = null;
  let plan: ReturnType<typeof planOf> | null = null;
  try {
    plan = planOf(ask);
  } catch (error) {
    if (!(error instanceof FillFault)) throw error;
    fault = error.message;
  }
  const canAsk = near && plan !== null && missing.length === 0 && panel.kind !== 'text';
  const wantsLive = panel.kind === 'logs' && panel.live === true && to.value === 'now';
  const live = useLiveLines(canAsk && wantsLive ? plan!.asked[0] ?? '' : null, panel.limit ?? LINES, () => reload.current());
  const isLive = live.isLive === true;
  const isAsked = canAsk && !(wantsLive && live.isLive === null);
  const { title: _, description, grid, links, ...rest } = panel;
  // What is live is asked for once, however its range moves on.
  const key = JSON.stringify([rest, isLive ? [plan!.asked, from.value] : plan, panel.show_if === undefined ? null : [...fillings], isAsked]);
  const answer = useResource<PanelData>(key, isAsked ? (abort) => load(ask, abort, isLive) : null, isLive);
  reload.current = () => answer.reload();
  const data = answer.data.value;
  // What does not fit scrolls, by keyboard, too; charts, tables and lists can be reached themselves.
  const hasOwnStop = data !== null && !isEmpty(panel, data) && ['timeseries', 'table', 'logs'].includes(panel.kind);
  const isFull = params.value.get('panel') === panel.id;
  return (
    <figure ref={figure} class={`panel kind-${panel.kind}`} aria-label={title}>
      <div class="panel-head">
        <h2 title={panel.description === undefined ? undefined : visible(panel.description)}>{title}{panel.description !== undefined && <span class="hidden">: {visible(panel.description)}</span>}</h2>
        <span class="panel-menu">
          {tools}
          <details class="menu" onClick={(event) => { if ((event.target as Element).closest('a, button') !== null) event.currentTarget.open = false; }}>
            <summary aria-label={`Menu of ${title}`}>⋮</summary>
            <ul>
              <li><button type="button" class="plain small" onClick={() => setParams({ panel: isFull ? null : panel.id }, 'push')}>{isFull ? 'All panels' : 'Full screen'}</button></li>
              {data !== null && !isEmpty(panel, data) && <li><button type="button" class="plain small" onClick={() => saveData(title, panel, data)}>CSV</button></li>}
              {data !== null && !isEmpty(panel, data) && PICTURES.includes(panel.kind) && <li><button type="button" class="plain small" onClick={() => savePng(title, figure.current!, data.lines)}>PNG</button></li>}
              <li><button type="button" class="plain small" onClick={() => copyLink(panel.id)}>Copy link</button></li>
              {data !== null && data.asked.length > 0 && <li><a class="small" href={exploreOf(panel, data)}>{panel.kind === 'logs' ? 'Open in Logs' : 'Explore'}</a></li>}
              {panel.kind !== 'text' && <li><button type="button" class="plain small" aria-pressed={queries} onClick={() => setQueries(!queries)}>Queries</button></li>}
              {(panel.links ?? []).map((link) => <li key={link.title}><Link url={fillUrl(link.url, fillings)}>{visible(fillText(link.title, fillings))}</Link></li>)}
            </ul>
          </details>
        </span>
      </div>
      <div class="panel-body" tabIndex={hasOwnStop ? undefined : 0}>
        {queries && data !== null && <pre class="whole" tabIndex={0} role="region" aria-label={`Queries of ${title}`}>{visible(data.asked.join('\n\n'))}</pre>}
        {panel.kind === 'text' ? <Text panel={panel} />
          : missing.length > 0 ? <p class="empty">{missing.map(({ label, hasOptions }) => (hasOptions ? `Choose ${visible(label ?? '')} above.` : `There is no ${visible(label ?? '')} to choose from in this time range.`)).join(' ')}</p>
          : fault !== null ? <Fault fault={new ApiFault(fault, 400, '')} retry={() => answer.reload()} /> : (
          <Loaded of={answer} tall={panel.kind === 'timeseries'}>
            {(found) => (
              <>
                <Notes title="warning" lines={[...new Set(found.warnings)]} />
                {wantsLive && <p class="soft small-text"><span class={live.state === '● live' ? 'state up' : undefined}>{live.state}</span></p>}
                {isEmpty(panel, found) && live.entries.length === 0 ? <p class="empty">{panel.show_if !== undefined && found.asked.length === 0 ? 'Not shown: its condition gives nothing.' : panel.kind === 'logs' ? 'No line matches in this time range.' : 'No sample in this time range.'}</p>
                  : <Kind panel={{ ...panel, title }} data={found} fillings={fillings} height={height} live={live.entries} />}
              </>
            )}
          </Loaded>
        )}
      </div>
    </figure>
  );
}

function isEmpty({ kind }: PanelDefinition, data: PanelData): boolean {
  if (kind === 'logs') return (data.page?.result.length ?? 0) === 0;
  return kind === 'timeseries' || kind === 'heatmap' ? data.lines.lines.length === 0 : data.rows.length === 0;
}

function Kind(props: KindProps) {
  const { panel, data, height } = props;
  switch (panel.kind) {
    case 'stat': return <Stat {...props} />;
    case 'gauge': return <Gauge {...props} />;
    case 'table': return <Table {...props} />;
    case 'logs': return <LogLines {...props} />;
    case 'status': return <Status {...props} />;
    case 'heatmap': return <Heatmap {...props} />;
    default: return (
      <Chart title={panel.title ?? panel.id} unit={panel.unit ?? 'none'} decimals={panel.decimals} min={panel.min} max={panel.max} style={panel.style} log={panel.scale === 'log'}
        stack={panel.stack === 'percent' ? 'percent' : panel.stack === 'normal'} legend={panel.legend ?? 'table'} connectGaps={panel.connect_gaps} events={data.events} data={data.lines}
        height={Math.max(90, panel.legend === 'none' ? height - 12 : Math.round(height * 0.66))}
        marks={(panel.thresholds ?? []).map(({ level, above, below }) => ({ at: above ?? below ?? 0, colour: level === 'crit' ? 'down' : level === 'warn' ? 'late' : 'up' }))} />
    );
  }
}

function copyLink(panel: string): void {
  const link = new URL(location.href);
  link.searchParams.set('panel', panel);
  link.searchParams.delete('edit');
  copy(link.href);
}

function exploreOf(panel: PanelDefinition, data: PanelData): string {
  const shown = (panel.queries ?? []).filter((query) => query.hidden !== true);
  const promql = data.asked.filter((_, index) => shown[index]?.promql !== undefined);
  return promql.length === 0 ? linkTo('logs', { q: data.asked[0]! }) : linkTo('explore', { q: promql, unit: panel.unit ?? null });
}

/** What the panel shows, with all digits. */
function saveData(title: string, panel: PanelDefinition, data: PanelData): void {
  if (panel.kind === 'timeseries' || panel.kind === 'heatmap') saveCsv(title, data.lines);
  else if (panel.kind === 'logs') saveLines(data.page?.result ?? [], title);
  else if (panel.kind === 'table') {
    const { columns, lines } = tableOf(panel, data);
    save(`${title}.csv`, csv([columns.map((column) => column.title ?? column.label ?? ''),
      ...lines.map((line) => columns.map((column) => (column.query === undefined ? line.labels[column.label ?? ''] ?? '' : line.values[column.query]?.text ?? '')))]));
  } else save(`${title}.csv`, csv([['series', 'value'], ...data.rows.map((row) => [nameOf(row.labels), row.text])]));
}
