// The picture of a chart: uPlot with the console's colours, scales, marks, and what pointers do.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { colour, colourOf, PALETTE } from '../app/theme';
import { isUtc } from '../app/time';
import { axisTime, inUnit, type Unit } from './format';
import { View, watchClicks, zoomBack, zoomTo } from './pointer';
import { type Line, type Lines, shares, stacked } from './series';

/** Of a picture that is given none, in pixels. */
export const HEIGHT = 220;

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

export interface PlotProps extends ChartProps {
  indexOf: (name: string) => number;
  toggleTable: () => void;
}

interface Hooks {
  onCursor: (plot: uPlot) => void;
  /** The time of the sample that was clicked or tapped, in seconds. */
  onClick: (at: number) => void;
  /** What is marked now: it changes without the chart being made anew. */
  events: () => readonly Annotation[];
}

/** As uPlot takes them. */
export function columns({ data, stack }: PlotProps): uPlot.AlignedData {
  // uPlot draws no infinities: they are holes in the picture and themselves in tooltip and table.
  const values = stack ? stacked(stack === 'percent' ? shares(data.lines) : data.lines) : data.lines.map((line) => line.values.map((value) => (value !== null && Number.isFinite(value) ? value : null)));
  return [data.times, ...values] as uPlot.AlignedData;
}

export function make(host: HTMLDivElement, given: PlotProps, { onCursor, onClick, events }: Hooks): uPlot {
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
        // Round joins, which nobody sees on lines this thin, are a third of a picture's time where no graphics card draws it.
        drawAxes: [(u) => { u.ctx.lineJoin = 'bevel'; }],
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
          if (end - start >= 1000) zoomTo(start, end);
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
