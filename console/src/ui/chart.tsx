// A chart over time: uPlot with the console's colours, zoom, shared cursor, legend, keyboard, and a data table that says the same.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { isUtc, type Range, range, setRange, zoneName, zoomOut } from '../app/time';
import { colour, looks } from '../app/theme';
import { csv, save } from './csv';
import { axisTime, dateTime, inUnit, type Unit } from './format';
import { type Line, type Lines, shares, stacked, summaryOf } from './series';

const DRAWN = 30;
const HEIGHT = 220;

// Marks of byte axes stand at 1, 2, 4 … of their unit, not at 1.86.
const BINARY = Array.from({ length: 60 }, (_, power) => 2 ** power);

/** A moment or a stretch that is marked, in seconds. */
export interface Annotation {
  at: number;
  to?: number;
  text: string;
}

export interface ChartOptions {
  title: string;
  unit: Unit;
  decimals?: number;
  style?: 'line' | 'area' | 'bars' | 'steps' | 'points';
  stack?: boolean | 'percent';
  log?: boolean;
  legend?: 'table' | 'list' | 'none';
  /** Whether lines go on across holes. */
  connectGaps?: boolean;
  /** Lines across the picture. */
  marks?: readonly { at: number; colour: string }[];
  /** What happened meanwhile. */
  events?: readonly Annotation[];
  /** Whether they are listed below the chart; false where the page has one list for all of its charts. */
  listEvents?: boolean;
  /** Lower and upper end of the scale, where they are fixed. */
  min?: number;
  max?: number;
}

export interface ChartProps extends ChartOptions {
  data: Lines;
  height?: number;
}

export function Chart(props: ChartProps) {
  const { data, title, unit } = props;
  const [only, setOnly] = useState<ReadonlySet<string> | null>(null);
  const [all, setAll] = useState(false);
  const [table, setTable] = useState(false);
  const ranked = useMemo(() => (data.lines.length > DRAWN && !all ? topLines(data) : data), [data, all]);
  const shown = useMemo(() => (only === null ? ranked : { ...ranked, lines: ranked.lines.filter((line) => only.has(line.name)) }), [ranked, only]);
  const colours = useMemo(() => new Map(ranked.lines.map((line, index) => [line.name, index])), [ranked]);

  function pick(name: string, add: boolean) {
    if (!add) {
      setOnly(only?.size === 1 && only.has(name) ? null : new Set([name]));
      return;
    }
    const next = new Set(only ?? ranked.lines.map((line) => line.name));
    if (!next.delete(name)) next.add(name);
    setOnly(next.size === 0 || next.size === ranked.lines.length ? null : next);
  }

  return (
    <>
      <Plot {...props} data={shown} indexOf={(name) => colours.get(name) ?? 0} toggleTable={() => setTable(!table)} />
      {data.lines.length > DRAWN && (
        <p class="soft">
          {all ? `All ${data.lines.length} series drawn. ` : `${DRAWN} of ${data.lines.length} series drawn (highest last value). `}
          <button type="button" class="plain" onClick={() => setAll(!all)}>{all ? 'Show fewer' : 'Show all (slow)'}</button>
        </p>
      )}
      {props.events !== undefined && props.listEvents !== false && <EventList events={props.events} />}
      {table ? <DataTable data={shown} unit={unit} title={title} />
        : props.legend !== 'none' && <Legend title={title} data={ranked} unit={unit} only={only} pick={pick} isList={props.legend === 'list'} />}
    </>
  );
}

/** In words what charts mark. */
export function EventList({ events }: { events: readonly Annotation[] }) {
  if (events.length === 0) return null;
  return (
    <details class="notes">
      <summary>{countsOf(events)}</summary>
      <ul>{events.map((event, index) => <li key={index}>{dateTime(event.at * 1000, isUtc.value)}{event.to !== undefined && ` to ${dateTime(event.to * 1000, isUtc.value)}`} {event.text}</li>)}</ul>
    </details>
  );
}

function countsOf(events: readonly Annotation[]): string {
  const gaps = events.filter((event) => event.to !== undefined).length;
  return ([[events.length - gaps, 'event'], [gaps, 'gap']] as const).filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}${count === 1 ? '' : 's'}`).join(', ');
}

function topLines(data: Lines): Lines {
  const last = new Map(data.lines.map((line) => [line, summaryOf(line.values).last ?? -Infinity]));
  const lines = [...data.lines].sort((a, b) => last.get(b)! - last.get(a)!).slice(0, DRAWN);
  return { times: data.times, lines };
}

interface PlotProps extends ChartProps {
  indexOf: (name: string) => number;
  toggleTable: () => void;
}

function Plot(props: PlotProps) {
  const { data, title, unit, height = HEIGHT } = props;
  const host = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const spoken = useRef<HTMLParagraphElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  // The time whose values stay shown, in seconds.
  const pin = useRef<number | null>(null);
  const tell = () => { if (plot.current !== null && tip.current !== null) showTip(plot.current, tip.current, latest.current, pin); };
  const shape = JSON.stringify([data.lines.map((line) => [line.name, line.right]), unit, props.decimals, props.style, props.stack, props.log, props.min, props.max, props.connectGaps, props.marks, isUtc.value, looks.value, height]);

  useEffect(() => {
    const made = make(host.current!, latest.current, {
      onCursor: (u) => { if (u === plot.current) tell(); },
      onClick: (at) => { pin.current = pin.current === at ? null : at; tell(); },
      events: () => latest.current.events ?? [],
    });
    plot.current = made;
    tell();
    const observer = new ResizeObserver(() => {
      const width = host.current?.clientWidth ?? 0;
      if (width > 0 && width !== made.width) made.setSize({ width, height });
    });
    observer.observe(host.current!);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(columns(latest.current), true);
    tell();
  }, [data, range.value]);
  const marked = JSON.stringify(props.events);
  useEffect(() => { plot.current?.redraw(false); }, [marked]);

  function onPinKey(event: KeyboardEvent) {
    const u = plot.current;
    if (event.ctrlKey || event.metaKey || event.altKey || u === null) return;
    const at = u.cursor.idx === null || u.cursor.idx === undefined ? null : data.times[u.cursor.idx] ?? null;
    if (event.key === 'Enter' && at !== null) pin.current = pin.current === at ? null : at;
    else if (event.key === 'Escape' && pin.current !== null) pin.current = null;
    else return;
    event.preventDefault();
    event.stopPropagation();
    tell();
  }

  return (
    <div class="plot-box" onMouseLeave={() => { if (tip.current && pin.current === null) tip.current.hidden = true; }}>
      <div ref={host} class="plot" tabIndex={0} role="img" aria-label={sentence(title, unit, data)} aria-keyshortcuts="ArrowLeft ArrowRight Enter + - d"
        onKeyDown={(event) => { onPinKey(event); if (!event.defaultPrevented) onKey(event, plot.current, latest.current, spoken.current!); }} />
      <div ref={tip} class="tip" hidden />
      <p ref={spoken} class="hidden" aria-live="polite" />
    </div>
  );
}

function columns({ data, stack }: PlotProps): uPlot.AlignedData {
  // uPlot draws no infinities: they are holes in the picture and themselves in tooltip and table.
  const values = stack ? stacked(stack === 'percent' ? shares(data.lines) : data.lines) : data.lines.map((line) => line.values.map((value) => (value !== null && Number.isFinite(value) ? value : null)));
  return [data.times, ...values] as uPlot.AlignedData;
}

// Zooms by dragging that can be taken back; where there are none the range doubles.
let zooms = 0;

function zoomBack(): void {
  if (zooms > 0) {
    zooms--;
    history.back();
  } else zoomOut();
}

/** What a chart shows while it is dragged or zoomed: the page's range follows when that is over, because each change of it asks the collector. */
class View {
  private moved: { base: Range; span: [number, number] } | null = null;
  private timer = 0;

  span(): [number, number] {
    const base = range.peek();
    if (this.moved !== null && this.moved.base !== base) this.moved = null;
    return this.moved?.span ?? [base.start / 1000, base.end / 1000];
  }

  pan(u: uPlot, event: MouseEvent): void {
    const [start, end] = this.span();
    const width = u.over.clientWidth;
    const onMove = (move: MouseEvent) => {
      const by = ((event.clientX - move.clientX) / width) * (end - start);
      this.show(u, start + by, end + by);
    };
    const onUp = () => {
      document.removeEventListener('mousemove', onMove);
      document.removeEventListener('mouseup', onUp);
      this.keep();
    };
    document.addEventListener('mousemove', onMove);
    document.addEventListener('mouseup', onUp);
  }

  // The plain wheel scrolls the page.
  wheel(u: uPlot, event: WheelEvent): void {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const [start, end] = this.span();
    const share = event.offsetX / Math.max(1, u.over.clientWidth);
    const middle = start + share * (end - start);
    const factor = event.deltaY < 0 ? 0.8 : 1.25;
    const length = Math.max(1, (end - start) * factor);
    this.show(u, middle - share * length, middle + (1 - share) * length);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.keep(), 300);
  }

  // Two fingers; one scrolls the page, and a tap moves the cursor.
  pinch(u: uPlot, began: TouchEvent): void {
    if (began.touches.length !== 2) return;
    const [start, end] = this.span();
    const left = u.over.getBoundingClientRect().left;
    const at = ({ touches }: TouchEvent) => [touches[0]!.clientX - left, touches[1]!.clientX - left] as const;
    const time = (x: number) => start + (x / Math.max(1, u.over.clientWidth)) * (end - start);
    const [first, second] = at(began).map(time) as [number, number];
    const onMove = (move: TouchEvent) => {
      if (move.touches.length !== 2) return;
      move.preventDefault();
      // Each finger stays on the time that it was put on.
      const [a, b] = at(move);
      const perPixel = (second - first) / (Math.abs(b - a) < 1 ? 1 : b - a);
      if (perPixel > 0) this.show(u, first - a * perPixel, first - a * perPixel + Math.max(1, u.over.clientWidth * perPixel));
    };
    const onEnd = () => {
      u.over.removeEventListener('touchmove', onMove);
      u.over.removeEventListener('touchend', onEnd);
      u.over.removeEventListener('touchcancel', onEnd);
      this.keep();
    };
    u.over.addEventListener('touchmove', onMove, { passive: false });
    u.over.addEventListener('touchend', onEnd);
    u.over.addEventListener('touchcancel', onEnd);
  }

  private show(u: uPlot, min: number, max: number): void {
    this.moved = { base: range.peek(), span: [min, max] };
    u.setScale('x', { min, max });
  }

  private keep(): void {
    if (this.moved === null) return;
    const [start, end] = this.moved.span;
    zooms++;
    setRange(Math.round(start * 1000), Math.round(end * 1000));
  }
}

const PALETTE = 10;

export function colourOf(index: number): string {
  return colour(`s${(index % PALETTE) + 1}`);
}

interface Hooks {
  onCursor: (plot: uPlot) => void;
  /** The time of the sample that was clicked or tapped, in seconds. */
  onClick: (at: number) => void;
  /** What is marked now: it changes without the chart being made anew. */
  events: () => readonly Annotation[];
}

/** A press that moves no further than this many pixels is a click, not a drag. */
const CLICK_MAX = 4;

function watchClicks(u: uPlot, onClick: (at: number) => void): void {
  let down = 0;
  u.over.addEventListener('mousedown', (event) => { down = event.clientX; });
  u.over.addEventListener('click', (event) => {
    const at = u.data[0][u.cursor.idx ?? -1];
    if (at !== undefined && !event.shiftKey && Math.abs(event.clientX - down) < CLICK_MAX) onClick(at);
  });
}

function make(host: HTMLDivElement, given: PlotProps, { onCursor, onClick, events }: Hooks): uPlot {
  const isPercent = given.stack === 'percent';
  const props: PlotProps = isPercent ? { ...given, unit: 'percent', min: 0, max: 100 } : given;
  const { unit, height = HEIGHT } = props;
  const hasRight = props.data.lines.some((line) => line.right);
  const scaleY: uPlot.Scale = props.log ? { distr: 3 } : { range: (_, min, max) => scaleOf(min, max, props) };
  const marks = (props.marks ?? []).map(({ at, colour: name }) => ({ at, stroke: colour(name) }));
  const view = new View();
  const soft = colour('soft');
  const late = colour('late');
  const rule = colour('rule');
  const utc = isUtc.value;
  const axis = { stroke: soft, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font: '12px system-ui, sans-serif' };
  return new uPlot(
    {
      width: Math.max(200, host.clientWidth),
      height,
      legend: { show: false },
      cursor: {
        sync: { key: 'lm' },
        drag: { x: true, y: false, setScale: false },
        bind: {
          dblclick: () => () => { zoomBack(); return null; },
          mousedown: (u, _, usual) => (event) => { if (event.shiftKey && event.button === 0) view.pan(u, event); else usual(event); return null; },
        },
        points: { size: 6 },
      },
      scales: {
        x: { time: true, range: () => view.span() },
        y: scaleY,
        ...(hasRight ? { right: scaleY } : {}),
      },
      axes: [
        { ...axis, size: 30, space: 70, values: (_, splits) => splits.map((split) => axisTime(split * 1000, (splits[1] === undefined ? 60 : splits[1] - splits[0]!) * 1000, utc)) },
        { ...axis, size: 74, incrs: unit.startsWith('bytes') ? BINARY : undefined, values: (_, splits) => splits.map((split) => (split === null ? '' : inUnit(split, unit, props.decimals))) },
        ...(hasRight ? [{ ...axis, scale: 'right', side: 1 as const, size: 74, grid: { show: false }, values: (_: uPlot, splits: number[]) => splits.map((split) => (split === null ? '' : inUnit(split, unit, props.decimals))) }] : []),
      ],
      series: [{}, ...props.data.lines.map((line) => lineOf(line, props))],
      bands: props.stack ? props.data.lines.slice(1).map((_, index) => ({ series: [index + 2, index + 1] as [number, number] })) : [],
      hooks: {
        ready: [(u) => {
          u.over.addEventListener('wheel', (event) => view.wheel(u, event), { passive: false });
          u.over.addEventListener('touchstart', (event) => view.pinch(u, event), { passive: true });
          watchClicks(u, onClick);
        }],
        setCursor: [onCursor],
        draw: [(u) => {
          for (const { at, stroke } of marks) drawLine(u, 'y', at, stroke);
          for (const { at, to } of events()) {
            if (to === undefined) drawLine(u, 'x', at, soft);
            else drawBand(u, at, to, late);
          }
        }],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          const start = Math.round(u.posToVal(u.select.left, 'x') * 1000);
          const end = Math.round(u.posToVal(u.select.left + u.select.width, 'x') * 1000);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (end - start >= 1000) { zooms++; setRange(start, end); }
        }],
      },
    },
    columns(props),
    host,
  );
}

function drawLine(u: uPlot, scale: 'x' | 'y', at: number, stroke: string): void {
  const { min, max } = u.scales[scale]!;
  if (min === undefined || max === undefined || at < min || at > max) return;
  const place = u.valToPos(at, scale, true);
  const { left, top, width, height } = u.bbox;
  u.ctx.save();
  u.ctx.strokeStyle = stroke;
  u.ctx.setLineDash(scale === 'y' ? [6, 4] : [2, 3]);
  u.ctx.beginPath();
  u.ctx.moveTo(scale === 'y' ? left : place, scale === 'y' ? place : top);
  u.ctx.lineTo(scale === 'y' ? left + width : place, scale === 'y' ? place : top + height);
  u.ctx.stroke();
  u.ctx.restore();
}

function drawBand(u: uPlot, from: number, to: number, fill: string): void {
  const { min, max } = u.scales['x']!;
  if (min === undefined || max === undefined || to < min || from > max) return;
  const [left, right] = [u.valToPos(Math.max(from, min), 'x', true), u.valToPos(Math.min(to, max), 'x', true)];
  u.ctx.save();
  u.ctx.globalAlpha = 0.18;
  u.ctx.fillStyle = fill;
  u.ctx.fillRect(left, u.bbox.top, Math.max(2, right - left), u.bbox.height);
  u.ctx.restore();
}

function lineOf(line: Line, props: PlotProps): uPlot.Series {
  const index = props.indexOf(line.name);
  const stroke = colourOf(index);
  const isBars = props.style === 'bars';
  const isArea = props.stack || props.style === 'area' || isBars;
  return {
    label: line.name,
    scale: line.right ? 'right' : 'y',
    paths: isBars ? uPlot.paths.bars!({ size: [0.9, 100] }) : props.style === 'steps' ? uPlot.paths.stepped!({ align: 1 }) : undefined,
    stroke,
    width: props.style === 'points' ? 0 : 1.5,
    fill: isArea ? stroke.replace('rgb(', 'rgba(').replace(')', ', 0.25)') : undefined,
    // Beyond the palette colours come again: the dash tells the two apart.
    dash: index >= PALETTE ? [6, 4] : undefined,
    spanGaps: props.connectGaps === true,
    points: props.style === 'points' ? { show: true, size: 5, fill: stroke } : { show: isBars ? false : undefined },
  };
}

function scaleOf(min: number | null, max: number | null, { min: low, max: high }: ChartOptions): [number, number] {
  const from = low ?? Math.min(0, min ?? 0);
  const to = high ?? (max === null || max <= from ? from + 1 : max + (max - from) * 0.05);
  return [from, Math.max(to, max ?? to)];
}

const TIP_ROWS = 12;
const PINNED_ROWS = 200; // it scrolls

// Built by hand: it changes with every move of the pointer.
function showTip(u: uPlot, tip: HTMLDivElement, { data, unit, decimals, indexOf }: PlotProps, pin: { current: number | null }): void {
  // What is pinned goes with its sample.
  if (pin.current !== null && !data.times.includes(pin.current)) pin.current = null;
  const isPinned = pin.current !== null;
  const idx = pin.current === null ? u.cursor.idx : data.times.indexOf(pin.current);
  const left = pin.current === null ? u.cursor.left : u.valToPos(pin.current, 'x');
  const top = isPinned ? 20 : u.cursor.top;
  tip.classList.toggle('pinned', isPinned);
  if (idx === null || idx === undefined || left === undefined || left < 0 || !(isPinned || u.root.matches(':hover')) || data.lines.length === 0) {
    tip.hidden = true;
    return;
  }
  const rows = data.lines
    .map((line) => ({ name: line.name, value: line.values[idx] ?? null }))
    .filter((row) => row.value !== null)
    .sort((a, b) => b.value! - a.value!);
  const head = document.createElement('p');
  head.textContent = `${dateTime((data.times[idx] ?? 0) * 1000, isUtc.peek())} ${zoneName.peek()}`;
  const most = isPinned ? PINNED_ROWS : TIP_ROWS;
  tip.replaceChildren(head, ...rows.slice(0, most).map(({ name, value }) => {
    const row = document.createElement('p');
    const key = document.createElement('i');
    key.style.background = colourOf(indexOf(name));
    row.append(key, `${name}: ${inUnit(value, unit, decimals)}`);
    return row;
  }));
  if (rows.length > most) tip.append(`${rows.length - most} more`);
  tip.hidden = false;
  const box = u.root.getBoundingClientRect();
  const x = left + u.bbox.left / devicePixelRatio;
  tip.style.left = `${x > box.width / 2 ? Math.max(0, x - tip.offsetWidth - 12) : x + 12}px`;
  tip.style.top = `${Math.max(0, (top ?? 0) - 20)}px`;
}

function onKey(event: KeyboardEvent, u: uPlot | null, { data, unit, toggleTable }: PlotProps, spoken: HTMLElement): void {
  if (u === null || event.ctrlKey || event.metaKey || event.altKey) return;
  const { start, end } = range.peek();
  switch (event.key) {
    case 'ArrowLeft':
    case 'ArrowRight': {
      const by = (event.shiftKey ? 10 : 1) * (event.key === 'ArrowLeft' ? -1 : 1);
      const at = Math.max(0, Math.min(data.times.length - 1, (u.cursor.idx ?? data.times.length) + by));
      u.setCursor({ left: u.valToPos(data.times[at]!, 'x'), top: 10 });
      const values = data.lines.slice(0, 5).map((line) => `${line.name} ${inUnit(line.values[at], unit)}`);
      spoken.textContent = `${dateTime(data.times[at]! * 1000, isUtc.peek())}: ${values.join(', ')}`;
      break;
    }
    case '+':
    case '-': {
      const middle = u.cursor.idx === null || u.cursor.idx === undefined ? (start + end) / 2 : data.times[u.cursor.idx]! * 1000;
      const half = ((end - start) / 2) * (event.key === '+' ? 0.5 : 2);
      setRange(Math.round(middle - half), Math.round(middle + half));
      break;
    }
    case 'd':
      toggleTable();
      break;
    default:
      return;
  }
  event.preventDefault();
  event.stopPropagation();
}

function sentence(title: string, unit: Unit, { lines }: Lines): string {
  const said = lines.slice(0, 3).map((line) => {
    const { last, min, max } = summaryOf(line.values);
    return `${line.name} now ${inUnit(last, unit)}, lowest ${inUnit(min, unit)}, highest ${inUnit(max, unit)}`;
  });
  return `${title}, ${lines.length} series. ${said.join('; ')}${lines.length > 3 ? '; and more' : ''}`;
}

function Legend({ title, data, unit, only, pick, isList }: { title: string; data: Lines; unit: Unit; only: ReadonlySet<string> | null; pick: (name: string, add: boolean) => void; isList: boolean }) {
  const theme = looks.value;
  return (
    <div class={isList ? 'legend list' : 'legend'} role="region" aria-label={`Legend of ${title}`} tabIndex={0}>
      <table>
        <thead><tr><th scope="col">Series</th><th scope="col" class="number">last</th><th scope="col" class="number">min</th><th scope="col" class="number">avg</th><th scope="col" class="number">max</th></tr></thead>
        <tbody>
          {data.lines.map((line, index) => {
            const { last, min, avg, max } = summaryOf(line.values);
            const isOn = only === null || only.has(line.name);
            return (
              <tr key={line.name} class={isOn ? undefined : 'off'}>
                <th scope="row">
                  <button type="button" class="sort" aria-pressed={isOn} title="Click: only this one. Ctrl+click: with others" onClick={(event) => pick(line.name, event.ctrlKey || event.metaKey)}>
                    <i key={theme} class="key" ref={(node) => { if (node) node.style.background = colourOf(index); }} />{line.name}
                  </button>
                </th>
                <td class="number" title={last === null ? '' : String(last)} data-last={last ?? ''}>{inUnit(last, unit)}</td>
                <td class="number">{inUnit(min, unit)}</td><td class="number">{inUnit(avg, unit)}</td><td class="number">{inUnit(max, unit)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const TABLE_ROWS = 500;

function DataTable({ data, unit, title }: { data: Lines; unit: Unit; title: string }) {
  const rows = data.times.map((time, index) => ({ time, index })).reverse().slice(0, TABLE_ROWS);
  return (
    <div class="legend tall" role="region" aria-label={`Data of ${title}`} tabIndex={0}>
      <table>
        <thead><tr><th scope="col">Time</th>{data.lines.map((line) => <th key={line.name} scope="col" class="number">{line.name}</th>)}</tr></thead>
        <tbody>
          {rows.map(({ time, index }) => (
            <tr key={time}><th scope="row">{dateTime(time * 1000, isUtc.value)}</th>{data.lines.map((line) => <td key={line.name} class="number">{inUnit(line.values[index], unit)}</td>)}</tr>
          ))}
        </tbody>
      </table>
      {data.times.length > TABLE_ROWS && <p class="soft">The newest {TABLE_ROWS} of {data.times.length} times; CSV has all.</p>}
    </div>
  );
}

/** All of it, raw numbers, RFC 3339 times. */
export function saveCsv(title: string, data: Lines): void {
  save(`${title}.csv`, csv([
    ['time', ...data.lines.map((line) => line.name)],
    ...data.times.map((time, index) => [new Date(time * 1000).toISOString(), ...data.lines.map((line) => line.values[index] ?? null)]),
  ]));
}

/** The picture at twice its size, with title, range and legend. */
export function savePng(title: string, figure: HTMLElement, data: Lines): void {
  const source = figure.querySelector('canvas');
  if (source === null) return;
  const names = data.lines.slice(0, DRAWN);
  const canvas = document.createElement('canvas');
  canvas.width = source.clientWidth * 2;
  canvas.height = (source.clientHeight + 50 + Math.ceil(names.length / 3) * 18) * 2;
  const ctx = canvas.getContext('2d')!;
  ctx.scale(2, 2);
  ctx.fillStyle = colour('card');
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.fillStyle = colour('text');
  ctx.font = '600 15px system-ui, sans-serif';
  ctx.fillText(title, 10, 20);
  ctx.font = '12px system-ui, sans-serif';
  const { start, end } = range.peek();
  ctx.fillText(`${dateTime(start, isUtc.peek())} to ${dateTime(end, isUtc.peek())} ${zoneName.peek()}`, 10, 37);
  ctx.drawImage(source, 0, 45, source.clientWidth, source.clientHeight);
  names.forEach((line, index) => {
    const x = 10 + (index % 3) * (source.clientWidth / 3);
    const y = source.clientHeight + 58 + Math.floor(index / 3) * 18;
    ctx.fillStyle = colourOf(index);
    ctx.fillRect(x, y - 8, 10, 3);
    ctx.fillStyle = colour('text');
    ctx.fillText(line.name, x + 15, y, source.clientWidth / 3 - 25);
  });
  canvas.toBlob((blob) => { if (blob) save(`${title}.png`, blob); });
}
