// A chart over time: its picture with zoom, shared cursor and kept values, legend, keyboard, and a data table that says the same.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { looks } from '../app/theme';
import { isUtc, range } from '../app/time';
import { dateTime, inUnit, type Unit } from './format';
import { DataTable, Legend } from './legend';
import { type Annotation, type ChartProps, columns, HEIGHT, make, type PlotProps } from './plot';
import { onKey } from './pointer';
import { DRAWN, type Lines, summaryOf } from './series';
import { onPinKey, showTip } from './tip';

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

  function onKeyDown(event: KeyboardEvent) {
    const u = plot.current;
    if (u === null) return;
    if (onPinKey(event, u, pin)) tell();
    else onKey(event, u, latest.current, spoken.current!);
  }

  return (
    <div class="plot-box" onMouseLeave={() => { if (tip.current && pin.current === null) tip.current.hidden = true; }}>
      <div ref={host} class="plot" tabIndex={0} role="img" aria-label={sentence(title, unit, data)} aria-keyshortcuts="ArrowLeft ArrowRight Enter + - d" onKeyDown={onKeyDown} />
      <div ref={tip} class="tip" hidden />
      <p ref={spoken} class="hidden" aria-live="polite" />
    </div>
  );
}

function sentence(title: string, unit: Unit, { lines }: Lines): string {
  const said = lines.slice(0, 3).map((line) => {
    const { last, min, max } = summaryOf(line.values);
    return `${line.name} now ${inUnit(last, unit)}, lowest ${inUnit(min, unit)}, highest ${inUnit(max, unit)}`;
  });
  return `${title}, ${lines.length} series. ${said.join('; ')}${lines.length > 3 ? '; and more' : ''}`;
}

