// Where panels stand.
import type { Filling, Fillings } from './fill';
import type { Grid, PanelDefinition } from './model';

export const COLUMNS = 24;

export interface Placed {
  key: string;
  panel: PanelDefinition;
  grid: Grid;
  fillings: Fillings;
}

/** Panels in order of y, x; one that is repeated stands there once for each value, and what lies below it moves down. */
export function placed(panels: readonly PanelDefinition[], fillings: Fillings): Placed[] {
  const all: Placed[] = [];
  let down = 0;
  for (const panel of [...panels].sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x)) {
    const { x, y, w, h } = panel.grid;
    const of = panel.repeat === undefined ? undefined : fillings.get(panel.repeat);
    if (of === undefined) {
      all.push({ key: panel.id, panel, grid: { x, y: y + down, w, h }, fillings });
      continue;
    }
    const each = Math.max(1, Math.floor((COLUMNS - x) / w));
    of.values.forEach((value, index) => {
      const one = new Map<string, Filling>([...fillings, [panel.repeat!, { ...of, values: [value], isMany: false }]]);
      all.push({ key: `${panel.id} ${value}`, panel, grid: { x: x + (index % each) * w, y: y + down + Math.floor(index / each) * h, w, h }, fillings: one });
    });
    down += Math.max(0, Math.ceil(of.values.length / each) - 1) * h;
  }
  return all;
}

function overlaps(a: Grid, b: Grid): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/** The panels with one of them elsewhere or of another size; those in its way move down. */
export function moved(panels: readonly PanelDefinition[], id: string, to: Grid): PanelDefinition[] {
  const w = Math.min(COLUMNS, Math.max(1, to.w));
  const grid: Grid = { x: Math.min(COLUMNS - w, Math.max(0, to.x)), y: Math.max(0, to.y), w, h: Math.min(100, Math.max(1, to.h)) };
  const settled: Grid[] = [grid];
  const next = new Map<string, Grid>([[id, grid]]);
  for (const panel of [...panels].sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x)) {
    if (panel.id === id) continue;
    const place = { ...panel.grid };
    for (let other = settled.find((each) => overlaps(each, place)); other !== undefined; other = settled.find((each) => overlaps(each, place))) place.y = other.y + other.h;
    settled.push(place);
    next.set(panel.id, place);
  }
  return panels.map((panel) => ({ ...panel, grid: next.get(panel.id)! }));
}

/** Below all others. */
export function bottomOf(panels: readonly PanelDefinition[]): number {
  return panels.reduce((lowest, { grid }) => Math.max(lowest, grid.y + grid.h), 0);
}

/** An id that no panel has. */
export function freeId(panels: readonly { id: string }[], like: string): string {
  const stem = like.replace(/-\d+$/, '').slice(0, 58);
  for (let number = 2; ; number++) {
    const id = `${stem}-${number}`;
    if (!panels.some((panel) => panel.id === id)) return id;
  }
}
