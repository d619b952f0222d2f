// The lines: rows of one height, of which only those in sight are in the document.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Entry } from '../api/logs';
import { isUtc } from '../app/time';
import { dateTime, timeOfDay } from '../ui/format';
import { visible } from '../ui/text';
import { oneLine, severityClass } from './text';

const ROW = 24;
const MARGIN = 10;

/** A line, or a hole between lines. */
export type Row = Entry | { id: string; gap: string };

export function isGap(row: Row): row is { id: string; gap: string } {
  return 'gap' in row;
}

export interface ListProps {
  rows: readonly Row[];
  showHost: boolean;
  selected: string | null;
  select: (entry: Entry | null) => void;
  /** Near the end: more can be loaded. */
  atEnd?: () => void;
  /** Whether the top is in sight. */
  onTop?: (isTop: boolean) => void;
  label: string;
  isLive?: boolean;
}

export function LogList({ rows, showHost, selected, select, atEnd, onTop, label, isLive }: ListProps) {
  const box = useRef<HTMLDivElement>(null);
  const [slice, setSlice] = useState({ first: 0, last: 60 });
  const [at, setAt] = useState(-1);
  const before = useRef({ count: 0, firstId: '' });

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
    const { firstId } = before.current;
    if (node.scrollTop >= ROW && firstId !== '' && rows[0]?.id !== firstId) {
      const moved = rows.findIndex((row) => row.id === firstId);
      if (moved > 0) node.scrollTop += moved * ROW;
    }
    before.current = { count: rows.length, firstId: rows[0]?.id ?? '' };
  }, [rows]);

  function move(to: number) {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    setAt(next);
    const node = box.current!;
    if (next * ROW < node.scrollTop) node.scrollTop = next * ROW;
    else if ((next + 1) * ROW > node.scrollTop + node.clientHeight) node.scrollTop = (next + 1) * ROW - node.clientHeight;
  }

  function onKey(event: KeyboardEvent) {
    const steps: Record<string, number> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20 };
    const row = rows[at];
    if (event.key in steps) move(at + steps[event.key]!);
    else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(rows.length - 1);
    else if (event.key === 'Enter' && row && !isGap(row)) select(row);
    else return;
    event.preventDefault();
  }

  const last = Math.min(rows.length, slice.last);
  const first = Math.min(slice.first, last);
  const shown = rows.slice(first, last);
  return (
    <div ref={box} class="lines" role="grid" aria-label={label} aria-rowcount={rows.length} aria-readonly="true" aria-live={isLive ? 'off' : undefined} tabIndex={0}
      aria-activedescendant={at >= first && at < last ? `line-${at}` : undefined} onScroll={place} onKeyDown={onKey}>
      <div role="presentation" class="lines-all" style={{ height: `${rows.length * ROW}px` }}>
        <div role="rowgroup" class="lines-near" style={{ transform: `translateY(${first * ROW}px)` }}>
          {shown.map((row, index) => {
            const number = first + index;
            if (isGap(row)) return <div key={row.id} id={`line-${number}`} role="row" class="line gap" aria-rowindex={number + 1}><span role="gridcell">{row.gap}</span></div>;
            const severity = row.stream['severity'] ?? row.attrs['severity'];
            return (
              <div key={row.id} id={`line-${number}`} role="row" aria-rowindex={number + 1} aria-selected={row.id === selected}
                class={`line${row.id === selected ? ' open' : ''}${number === at ? ' at' : ''}`} onClick={() => { setAt(number); select(row.id === selected ? null : row); }}>
                <span role="gridcell" class="time" title={dateTime(row.ts, isUtc.value)}>{timeOfDay(row.ts, isUtc.value)}</span>
                <span role="gridcell" class={`severity ${severityClass(severity)}`}>{severity ?? ''}</span>
                {showHost && <span role="gridcell" class="host">{visible(row.stream['instance'] ?? '')}</span>}
                <span role="gridcell" class="text">{oneLine(row.line)}</span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
