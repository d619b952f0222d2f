// The lines: rows of one height, of which only those in sight are in the document.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Entry } from '../api/logs';
import { isUtc } from '../app/time';
import { dateTime, timeOfDay } from '../ui/format';
import { visible } from '../ui/text';
import { fieldOf, oneLine, severityClass, wrapped } from './text';

const ROW = 24;
const MARGIN = 10;

/** Lines that wrap have heights of their own, so all of them are in the document. */
const WRAP_MAX = 1000;

/** Rows that may come in above at once without moving what is being read. */
const ABOVE_MAX = 10_000;

/** A hole between lines: behind the newest that was there before it. */
export interface Gap {
  ts: number;
  id: string;
  gap: string;
}

export type Row = Entry | Gap;

export function isGap(row: Row): row is Gap {
  return 'gap' in row;
}

/** Rows by their place, however they are kept. */
export interface RowList {
  readonly length: number;
  get(index: number): Row;
}

export function rowsOf(rows: readonly Row[]): RowList {
  return { length: rows.length, get: (index) => rows[index]! };
}

export interface ListProps {
  rows: RowList;
  showHost: boolean;
  selected: string | null;
  select: (entry: Entry | null) => void;
  /** Near the end: more can be loaded. */
  atEnd?: () => void;
  /** Whether the top is in sight. */
  onTop?: (isTop: boolean) => void;
  label: string;
  isLive?: boolean;
  /** Whether lines wrap, rather than go on to the right. */
  wrap?: boolean;
  /** Labels and attributes that have a column of their own. */
  fields?: readonly string[];
}

export function LogList({ rows, showHost, selected, select, atEnd, onTop, label, isLive, wrap = false, fields = [] }: ListProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [slice, setSlice] = useState({ first: 0, last: 60 });
  const [at, setAt] = useState(-1);
  const before = useRef('');

  const place = () => {
    const node = box.current;
    if (node === null) return; // the observer may call once more when the list has gone
    const first = Math.max(0, Math.floor(node.scrollTop / ROW) - MARGIN);
    const last = Math.ceil((node.scrollTop + node.clientHeight) / ROW) + MARGIN;
    setSlice((known) => (known.first === first && known.last === last ? known : { first, last }));
    onTop?.(node.scrollTop < ROW);
    if (node.scrollHeight > node.clientHeight && node.scrollTop + node.clientHeight > node.scrollHeight - 40 * ROW) atEnd?.();
  };

  useEffect(place, [rows.length]);
  useEffect(() => {
    const observer = new ResizeObserver(place);
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  // Rows that come in above must not move what is being read.
  useLayoutEffect(() => {
    const node = box.current!;
    const firstId = rows.length === 0 ? '' : rows.get(0).id;
    // Where rows have heights of their own the browser sees to it.
    if (!wrap && node.scrollTop >= ROW && before.current !== '' && firstId !== before.current) {
      const most = Math.min(rows.length, ABOVE_MAX);
      for (let moved = 1; moved < most; moved++) {
        if (rows.get(moved).id !== before.current) continue;
        node.scrollTop += moved * ROW;
        break;
      }
    }
    before.current = firstId;
  }, [rows]);

  function move(to: number) {
    const next = Math.max(0, Math.min((wrap ? Math.min(rows.length, WRAP_MAX) : rows.length) - 1, to));
    setAt(next);
    const node = box.current!;
    if (wrap) document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' });
    else if (next * ROW < node.scrollTop) node.scrollTop = next * ROW;
    else if ((next + 1) * ROW > node.scrollTop + node.clientHeight) node.scrollTop = (next + 1) * ROW - node.clientHeight;
  }

  function onKey(event: KeyboardEvent) {
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20 };
    const row = at >= 0 && at < rows.length ? rows.get(at) : undefined;
    if (event.key in steps) move(at + steps[event.key]!);
    else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(rows.length - 1);
    else if (event.key === 'Enter' && row && !isGap(row)) select(row);
    else return;
    event.preventDefault();
  }

  const last = Math.min(rows.length, wrap ? WRAP_MAX : slice.last);
  const first = wrap ? 0 : Math.min(slice.first, last);
  const shown = Array.from({ length: last - first }, (_, index) => rows.get(first + index));
  return (
    <div ref={box} class={wrap ? 'lines wrap' : 'lines'} role="grid" aria-label={label} aria-rowcount={rows.length} aria-readonly="true" aria-live={isLive ? 'off' : undefined} tabIndex={0}
      aria-activedescendant={at >= first && at < last ? `${id}-${at}` : undefined} onScroll={place} onKeyDown={onKey}>
      <div role="presentation" class="lines-all" style={{ height: wrap ? 'auto' : `${rows.length * ROW}px` }}>
        <div role="rowgroup" class="lines-near" style={{ transform: wrap ? 'none' : `translateY(${first * ROW}px)` }}>
          {shown.map((row, index) => {
            const number = first + index;
            if (isGap(row)) return <div key={row.id} id={`${id}-${number}`} role="row" class="line gap" aria-rowindex={number + 1}><span role="gridcell">{row.gap}</span></div>;
            const severity = row.stream['severity'] ?? row.attrs['severity'];
            return (
              <div key={row.id} id={`${id}-${number}`} role="row" aria-rowindex={number + 1} aria-selected={row.id === selected}
                class={`line${row.id === selected ? ' open' : ''}${number === at ? ' at' : ''}`} onClick={() => { setAt(number); select(row.id === selected ? null : row); }}>
                <span role="gridcell" class="time" title={dateTime(row.ts, isUtc.value)}>{timeOfDay(row.ts, isUtc.value)}</span>
                <span role="gridcell" class={`severity ${severityClass(severity)}`}>{visible(severity ?? '')}</span>
                {showHost && <span role="gridcell" class="host">{visible(row.stream['instance'] ?? '')}</span>}
                {fields.map((name) => <span key={name} role="gridcell" class="field" title={name}>{oneLine(fieldOf(row, name))}</span>)}
                <span role="gridcell" class="text">{wrap ? wrapped(row.line) : oneLine(row.line)}</span>
              </div>
            );
          })}
        </div>
        {wrap && rows.length > WRAP_MAX && <div role="row" class="line gap"><span role="gridcell">{rows.length - WRAP_MAX} more: lines that wrap are shown up to {WRAP_MAX} at a time</span></div>}
      </div>
    </div>
  );
}
