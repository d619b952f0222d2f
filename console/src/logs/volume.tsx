// How many lines there are, by time and severity; dragging over it zooms.
import { useRef, useState } from 'preact/hooks';
import { volume } from '../api/logs';
import { aligned, isUtc, type Range, setRange, stepOf } from '../app/time';
import { axisTime, count } from '../ui/format';
import { useStillResource } from '../ui/resource';
import { type Lines, linesOf, stacked } from '../ui/series';
import { Loaded } from '../ui/states';
import { severityClass } from './text';

const WIDTH = 1000;
const HEIGHT = 70;
const ORDER = ['unknown', 'debug', 'info', 'warn', 'error'];

export function Volume({ query, range }: { query: string; range: Range }) {
  const step = stepOf(range, 80, 1000);
  const { start, end } = aligned(range, step);
  const answer = useStillResource(JSON.stringify([query, start, end]), async (abort) => {
    const { data } = await volume(query, start, end + step, step, abort);
    const lines = linesOf(data, start, end, step, (labels) => labels['severity'] ?? 'unknown');
    lines.lines.sort((a, b) => ORDER.indexOf(severityClass(a.name)) - ORDER.indexOf(severityClass(b.name)));
    return lines;
  });
  return <Loaded of={answer}>{(lines) => <Bars lines={lines} step={step} />}</Loaded>;
}

function Bars({ lines, step }: { lines: Lines; step: number }) {
  const box = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const sums = stacked(lines.lines.map((line) => ({ ...line, values: line.values.map((value) => value ?? 0) })));
  const top = Math.max(1, ...(sums.at(-1) ?? []).map((value) => value ?? 0));
  const each = WIDTH / Math.max(1, lines.times.length);
  const totals = lines.lines.map((line) => ({ name: line.name, total: line.values.reduce<number>((sum, value) => sum + (value ?? 0), 0) }));
  const all = totals.reduce((sum, { total }) => sum + total, 0);
  const first = (lines.times[0] ?? 0) * 1000;

  const share = (event: PointerEvent) => {
    const area = box.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - area.left) / area.width));
  };
  const end = () => {
    if (drag === null) return;
    const [from, to] = drag[0] < drag[1] ? drag : [drag[1], drag[0]];
    setDrag(null);
    const whole = lines.times.length * step;
    if ((to - from) * WIDTH > 5) setRange(Math.round(first + from * whole), Math.round(first + to * whole));
  };
  return (
    <figure class="volume" aria-label="Lines by time and severity">
      <svg ref={box} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img"
        aria-label={`${count(all)} lines: ${totals.map(({ name, total }) => `${count(total)} ${name}`).join(', ')}`}
        onPointerDown={(event) => { box.current!.setPointerCapture(event.pointerId); const at = share(event); setDrag([at, at]); }}
        onPointerMove={(event) => drag !== null && setDrag([drag[0], share(event)])} onPointerUp={end}>
        {lines.lines.map((line, row) => (
          <path key={line.name} class={`sev ${severityClass(line.name)}`} d={line.values.map((value, at) => {
            if (value === null || value === 0) return '';
            const upper = HEIGHT - (sums[row]![at]! / top) * HEIGHT;
            return `M${(at * each).toFixed(1)} ${upper.toFixed(1)}h${(each * 0.9).toFixed(1)}v${((value / top) * HEIGHT).toFixed(1)}h-${(each * 0.9).toFixed(1)}z`;
          }).join('')} />
        ))}
        {drag !== null && <rect class="drag" x={Math.min(...drag) * WIDTH} y="0" width={Math.abs(drag[1] - drag[0]) * WIDTH} height={HEIGHT} />}
      </svg>
      <p class="volume-legend">
        <span class="soft">{axisTime(first, step, isUtc.value)}</span>
        {totals.map(({ name, total }) => <span key={name}><i class={`key sev ${severityClass(name)}`} />{name} <b>{count(total)}</b></span>)}
        <span class="soft">{axisTime((lines.times.at(-1) ?? 0) * 1000 + step, step, isUtc.value)}</span>
      </p>
    </figure>
  );
}
