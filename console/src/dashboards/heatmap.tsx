// Counts by time and value.
import { useEffect, useRef, useState } from 'preact/hooks';
import { colour, looks } from '../app/theme';
import { isUtc } from '../app/time';
import { dateTime, inUnit } from '../ui/format';
import { cellsOf } from './cells';
import type { KindProps } from './kinds';
import type { PanelDefinition } from './model';

const PALETTES = { blue: 's1', heat: 's7', grey: 'soft' } as const;

export function Heatmap({ panel, data, height }: KindProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [at, setAt] = useState<string>('');
  const theme = looks.value;
  const cells = cellsOf(panel, data);
  const highest = cells.values.flat().reduce<number>((high, value) => Math.max(high, value ?? 0), 0);
  useEffect(() => {
    const node = canvas.current!;
    const ctx = node.getContext('2d')!;
    node.width = node.clientWidth * 2;
    node.height = node.clientHeight * 2;
    ctx.fillStyle = colour(PALETTES[panel.palette ?? 'blue']);
    const [w, h] = [node.width / Math.max(1, cells.times.length), node.height / Math.max(1, cells.rows.length)];
    cells.values.forEach((row, index) => row.forEach((value, time) => {
      if (value === null || value === 0) return;
      ctx.globalAlpha = 0.1 + 0.9 * (panel.scale === 'log' ? Math.log1p(value) / Math.log1p(highest) : value / highest);
      ctx.fillRect(time * w, node.height - (index + 1) * h, Math.ceil(w), Math.ceil(h));
    }));
  }, [data, theme, panel]);
  const onMove = (event: MouseEvent) => {
    const box = canvas.current!.getBoundingClientRect();
    const time = Math.floor(((event.clientX - box.left) / box.width) * cells.times.length);
    const row = Math.floor((1 - (event.clientY - box.top) / box.height) * cells.rows.length);
    const value = cells.values[row]?.[time];
    setAt(value === undefined ? '' : `${dateTime((cells.times[time] ?? 0) * 1000, isUtc.value)}, up to ${rowName(cells.rows[row]!, panel)}: ${value === null ? 'none' : inUnit(value, 'none')}`);
  };
  return (
    <>
      <canvas ref={canvas} class="heatmap" style={{ height: `${Math.max(60, height - 30)}px` }} role="img" onMouseMove={onMove} onMouseLeave={() => setAt('')}
        aria-label={`${panel.title ?? panel.id}: ${cells.rows.length} rows up to ${cells.rows.length === 0 ? '—' : rowName(cells.rows.at(-1)!, panel)}, highest cell ${inUnit(highest, 'none')}; CSV has the numbers`} />
      <p class="soft small-text">{at || `${cells.rows.length === 0 ? 'no rows' : `up to ${rowName(cells.rows[0]!, panel)} … up to ${rowName(cells.rows.at(-1)!, panel)}`}`}</p>
    </>
  );
}

function rowName(bound: string, panel: PanelDefinition): string {
  return bound === '+Inf' ? '+Inf' : inUnit(Number(bound), panel.unit ?? 'none', panel.decimals);
}
