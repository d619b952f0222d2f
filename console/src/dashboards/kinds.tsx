// How panels draw what they were answered.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Entry } from '../api/logs';
import { type Labels, nameOf } from '../api/prom';
import { linkTo } from '../app/router';
import { colour, looks } from '../app/theme';
import { LogList, rowsOf } from '../logs/list';
import { WholeLine } from '../logs/whole';
import { inUnit, type Unit } from '../ui/format';
import { Sparkline } from '../ui/sparkline';
import { summaryOf } from '../ui/series';
import { visible } from '../ui/text';
import { LINES, type PanelData, type Row } from './data';
import { type Fillings, fillUrl } from './fill';
import { newest } from './livelines';
import { type Column, type Level, levelOf, type MapEntry, type PanelDefinition } from './model';

export interface KindProps {
  panel: PanelDefinition;
  data: PanelData;
  fillings: Fillings;
  height: number;
  /** Lines that came since the list was asked for. */
  live: readonly Entry[];
}

const MARKS: Record<Level, { icon: string; word: string; class: string }> = {
  ok: { icon: '●', word: 'ok', class: 'state up' }, warn: { icon: '▲', word: 'warning', class: 'warn' }, crit: { icon: '■', word: 'critical', class: 'crit' },
};

/** A value, and in words and by a mark what its colour says. */
function Value({ text, level, title }: { text: string; level: Level | null; title: string }) {
  if (level === null || level === 'ok') return <span class={level === 'ok' ? 'state up' : undefined} title={title}>{text}</span>;
  return <span class={MARKS[level].class} title={title}>{text} <span aria-hidden="true">{level === 'crit' ? '■' : '▲'}</span><span class="hidden"> {MARKS[level].word}</span></span>;
}

const lineOf = (data: PanelData, row: Row) => data.lines.lines.find((line) => line.query === row.query && nameOf(line.labels) === nameOf(row.labels));

const unitOf = (panel: PanelDefinition): Unit => panel.unit ?? 'none';

export function Stat({ panel, data }: KindProps) {
  const rows = data.rows.slice(0, 12);
  return (
    <div class="stat-values">
      {rows.map((row) => {
        const before = data.before.find((other) => other.query === row.query && nameOf(other.labels) === nameOf(row.labels));
        const line = lineOf(data, row);
        return (
          <div key={row.query + nameOf(row.labels)} class="stat-value">
            {rows.length > 1 && <span class="soft">{row.name}</span>}
            <b data-value={row.text}><Value text={inUnit(row.value, unitOf(panel), panel.decimals)} level={levelOf(row.value, panel.thresholds)} title={row.text} /></b>
            {panel.compare !== undefined && <span class="soft">{before === undefined ? `nothing ${panel.compare} ago` : `${inUnit(before.value, unitOf(panel), panel.decimals)} ${panel.compare} ago`}</span>}
            {panel.sparkline !== false && line !== undefined && <Spark values={line.values} />}
          </div>
        );
      })}
      {data.rows.length > rows.length && <p class="soft">{rows.length} of {data.rows.length} shown; CSV has all.</p>}
    </div>
  );
}

function Spark({ values }: { values: readonly (number | null)[] }) {
  const { min, max } = summaryOf(values);
  const floor = Math.min(0, min ?? 0);
  return <Sparkline values={values.map((value) => (value === null ? null : value - floor))} max={Math.max(1e-12, (max ?? 1) - floor)} label="Course over the time range" />;
}

export function Gauge({ panel, data }: KindProps) {
  return (
    <div class="stat-values">
      {data.rows.slice(0, 12).map((row) => {
        const level = levelOf(row.value, panel.thresholds);
        const [min, max] = [panel.min ?? 0, panel.max ?? 1];
        return (
          <div key={row.query + nameOf(row.labels)} class="stat-value">
            {data.rows.length > 1 && <span class="soft">{row.name}</span>}
            <Dial share={row.value === null ? 0 : (row.value - min) / (max - min)} level={level} isBar={panel.shape === 'bar'} />
            <b data-value={row.text}><Value text={inUnit(row.value, unitOf(panel), panel.decimals)} level={level} title={row.text} /></b>
          </div>
        );
      })}
    </div>
  );
}

// The number beside it says the same: the picture is for the eye alone.
function Dial({ share, level, isBar }: { share: number; level: Level | null; isBar: boolean }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = looks.value;
  const [width, height] = isBar ? [160, 20] : [120, 66];
  useEffect(() => {
    const ctx = canvas.current!.getContext('2d')!;
    const filled = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
    const paint = colour(level === 'crit' ? 'down' : level === 'warn' ? 'late' : level === 'ok' ? 'up' : 'accent');
    ctx.setTransform(2, 0, 0, 2, 0, 0);
    ctx.clearRect(0, 0, width, height);
    if (isBar) {
      ctx.fillStyle = colour('rule');
      ctx.fillRect(0, 4, width, 12);
      ctx.fillStyle = paint;
      ctx.fillRect(0, 4, width * filled, 12);
      return;
    }
    ctx.lineWidth = 12;
    for (const [to, stroke] of [[1, colour('rule')], [filled, paint]] as const) {
      ctx.strokeStyle = stroke;
      ctx.beginPath();
      ctx.arc(60, 60, 50, Math.PI, Math.PI * (1 + to));
      ctx.stroke();
    }
  }, [share, level, isBar, theme]);
  return <canvas ref={canvas} class="dial" width={width * 2} height={height * 2} style={{ width: `${width}px`, height: `${height}px` }} aria-hidden="true" />;
}

interface TableLine {
  labels: Labels;
  values: (Row | undefined)[];
}

/** One line for each label set, with the values of all queries. */
export function tableOf(panel: PanelDefinition, data: PanelData): { columns: readonly Column[]; lines: TableLine[] } {
  const lines = new Map<string, TableLine>();
  for (const row of data.rows) {
    const { __name__: _, ...labels } = row.labels;
    const key = nameOf(labels);
    const line = lines.get(key) ?? { labels, values: [] };
    line.values[row.query] = row;
    lines.set(key, line);
  }
  const all = [...lines.values()];
  const columns: readonly Column[] = panel.columns ?? [
    ...[...new Set(all.flatMap((line) => Object.keys(line.labels)))].sort().map((label) => ({ label })),
    ...data.asked.map((_, query) => ({ query, title: data.asked.length > 1 ? `Value ${'ABCDEFGH'[query]}` : 'Value' })),
  ];
  const by = panel.sort?.replace(/^-/, '');
  const column = columns.find((each) => (each.title ?? each.label) === by);
  if (column !== undefined) {
    const down = panel.sort!.startsWith('-') ? -1 : 1;
    all.sort((a, b) => down * (column.query !== undefined
      ? (a.values[column.query]?.value ?? -Infinity) - (b.values[column.query]?.value ?? -Infinity)
      : (a.labels[column.label ?? ''] ?? '').localeCompare(b.labels[column.label ?? ''] ?? '', 'en', { numeric: true })));
  }
  return { columns, lines: all };
}

export function Table({ panel, data, fillings }: KindProps) {
  const { columns, lines } = tableOf(panel, data);
  const shown = lines.slice(0, panel.limit ?? 500);
  return (
    <>
      <div class="scroll fill" role="region" aria-label={panel.title ?? panel.id} tabIndex={0}>
        <table>
          <thead><tr>{columns.map((column, index) => <th key={index} scope="col" class={column.query === undefined ? undefined : 'number'}>{visible(column.title ?? column.label ?? '')}</th>)}</tr></thead>
          <tbody>
            {shown.map((line) => (
              <tr key={nameOf(line.labels)}>
                {columns.map((column, index) => {
                  if (column.query === undefined) {
                    const text = visible(line.labels[column.label ?? ''] ?? '');
                    return <td key={index}>{index === 0 && panel.link !== undefined ? <Link url={fillUrl(panel.link, fillings, line.labels)}>{text || '—'}</Link> : text}</td>;
                  }
                  const row = line.values[column.query];
                  const unit = column.unit ?? unitOf(panel);
                  const share = row?.value ?? 0;
                  return (
                    <td key={index} class="number" data-value={row?.text}>
                      <Value text={inUnit(row?.value, unit, panel.decimals)} level={levelOf(row?.value ?? null, panel.thresholds)} title={row?.text ?? ''} />
                      {column.bar === true && <meter min={panel.min ?? 0} max={panel.max ?? (unit === 'percent' ? 100 : unit === 'ratio' ? 1 : Math.max(1e-12, ...lines.map((each) => each.values[column.query!]?.value ?? 0)))} value={Number.isFinite(share) ? share : 0} aria-hidden="true" />}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {lines.length > shown.length && <p class="soft">{shown.length} of {lines.length} rows; CSV has all.</p>}
    </>
  );
}

/** To a page of the console, or to elsewhere in a tab of its own. */
export function Link({ url, children }: { url: string; children: preact.ComponentChildren }) {
  if (!/^https?:\/\//.test(url)) {
    const [path, query = ''] = url.split('?') as [string, string?];
    return <a href={linkTo(path, Object.fromEntries(new URLSearchParams(query)))}>{children}</a>;
  }
  return <a href={url} target="_blank" rel="noopener noreferrer">{children}</a>;
}

export function LogLines({ panel, data, live }: KindProps) {
  const [open, setOpen] = useState<string | null>(null);
  const stored = data.page?.result ?? [];
  const entries = live.length === 0 ? stored : newest([...live, ...stored], panel.limit ?? LINES);
  const entry = entries.find((each) => each.id === open);
  return (
    <div class="log-panel">
      <LogList rows={rowsOf(entries)} showHost wrap={panel.wrap} fields={panel.fields} isLive={panel.live} selected={open} select={(next) => setOpen(next?.id ?? null)} label={`Lines of ${panel.title ?? panel.id}`} />
      {entry !== undefined && <WholeLine key={entry.id} line={entry.line} />}
      {(data.page?.cursor !== null || live.length + stored.length > entries.length) && <p class="soft">The newest {entries.length} lines; there are more.</p>}
    </div>
  );
}

function stateOf(value: number | null, panel: PanelDefinition): { level: Level | null; text: string } {
  const fits = ({ value: wanted, from, to }: MapEntry) => value !== null && (wanted !== undefined ? value === wanted : value >= (from ?? -Infinity) && value <= (to ?? Infinity));
  const entry = panel.map?.find(fits);
  if (entry !== undefined) return { level: entry.state, text: visible(entry.text ?? entry.state) };
  return { level: levelOf(value, panel.thresholds), text: inUnit(value, unitOf(panel), panel.decimals) };
}

export function Status({ panel, data }: KindProps) {
  return (
    <ul class="states">
      {data.rows.map((row) => {
        const { level, text } = stateOf(row.value, panel);
        const line = panel.history === true ? lineOf(data, row) : undefined;
        return (
          <li key={row.query + nameOf(row.labels)}>
            <span class={level === null ? 'soft' : MARKS[level].class} data-value={row.text}>{level === null ? '○' : MARKS[level].icon} {text}</span>
            {data.rows.length > 1 && <span>{row.name}</span>}
            {line !== undefined && <History panel={panel} values={line.values} />}
          </li>
        );
      })}
    </ul>
  );
}

function History({ panel, values }: { panel: PanelDefinition; values: readonly (number | null)[] }) {
  const runs: { from: number; to: number; level: Level | null; isHole: boolean }[] = [];
  values.forEach((value, at) => {
    const { level } = stateOf(value, panel);
    const last = runs.at(-1);
    if (last !== undefined && last.level === level && last.isHole === (value === null)) last.to = at + 1;
    else runs.push({ from: at, to: at + 1, level, isHole: value === null });
  });
  const said = (['crit', 'warn', 'ok'] as const).map((level) => [level, values.filter((value) => stateOf(value, panel).level === level).length] as const)
    .filter(([, times]) => times > 0).map(([level, times]) => `${MARKS[level].word} ${Math.round((100 * times) / values.length)} %`);
  return (
    <svg class="history" viewBox={`0 0 ${Math.max(1, values.length)} 10`} preserveAspectRatio="none" role="img" aria-label={`Over the time range: ${said.join(', ') || 'no data'}`}>
      {runs.filter((run) => !run.isHole).map((run) => <rect key={run.from} class={`run ${run.level ?? 'none'}`} x={run.from} y={run.level === 'crit' ? 0 : run.level === 'warn' ? 3 : 6} width={run.to - run.from} height={run.level === 'crit' ? 10 : run.level === 'warn' ? 7 : 4} />)}
    </svg>
  );
}

const ADDRESS = /(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/;

export function Text({ panel }: { panel: PanelDefinition }) {
  return <p class="text">{(panel.body ?? '').split(ADDRESS).map((part, index) => (index % 2 === 1 ? <Link key={index} url={part}>{part}</Link> : visible(part)))}</p>;
}
