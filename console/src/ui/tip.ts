// The values of a moment beside the pointer, or kept shown.
import type uPlot from 'uplot';
import { colourOf } from '../app/theme';
import { isUtc, zoneName } from '../app/time';
import { dateTime, inUnit } from './format';
import type { PlotProps } from './plot';

/** The time whose values stay shown, in seconds; null when none do. */
export interface Pin {
  current: number | null;
}

const TIP_ROWS = 12;
const PINNED_ROWS = 200; // it scrolls

// Built by hand: it changes with every move of the pointer.
export function showTip(u: uPlot, tip: HTMLDivElement, { data, unit, decimals, indexOf }: PlotProps, pin: Pin): void {
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

/** Enter keeps the values at the cursor shown, Escape lets them go: whether it was one of the two. */
export function onPinKey(event: KeyboardEvent, u: uPlot, pin: Pin): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  const at = u.data[0][u.cursor.idx ?? -1] ?? null;
  if (event.key === 'Enter' && at !== null) pin.current = pin.current === at ? null : at;
  else if (event.key === 'Escape' && pin.current !== null) pin.current = null;
  else return false;
  event.preventDefault();
  event.stopPropagation();
  return true;
}
