// What pointers and keys do to a chart: zoom, move, and the cursor that keys have.
import type uPlot from 'uplot';
import { isUtc, type Range, range, setRange, zoomOut } from '../app/time';
import { dateTime, inUnit } from './format';
import type { PlotProps } from './plot';

// Zooms by dragging that can be taken back; where there are none the range doubles.
let zooms = 0;

export function zoomBack(): void {
  if (zooms > 0) {
    zooms--;
    history.back();
  } else zoomOut();
}

/** What a chart shows while it is dragged or zoomed: the page's range follows when that is over, because each change of it asks the collector. */
export class View {
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
    zoomTo(Math.round(start * 1000), Math.round(end * 1000));
  }
}

/** Zooms to what was chosen, in milliseconds, so that it can be taken back. */
export function zoomTo(start: number, end: number): void {
  zooms++;
  setRange(start, end);
}

/** A press that moves no further than this many pixels is a click, not a drag. */
const CLICK_MAX = 4;

export function watchClicks(u: uPlot, onClick: (at: number) => void): void {
  let down = 0;
  u.over.addEventListener('mousedown', (event) => { down = event.clientX; });
  u.over.addEventListener('click', (event) => {
    const at = u.data[0][u.cursor.idx ?? -1];
    if (at !== undefined && !event.shiftKey && Math.abs(event.clientX - down) < CLICK_MAX) onClick(at);
  });
}

/** The keys of a chart that has the focus. */
export function onKey(event: KeyboardEvent, u: uPlot, { data, unit, toggleTable }: PlotProps, spoken: HTMLElement): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
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
