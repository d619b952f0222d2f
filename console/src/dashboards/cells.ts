// What a heatmap counts.
import { nameOf } from '../api/prom';
import type { Line } from '../ui/series';
import type { PanelData } from './data';
import type { PanelDefinition } from './model';

export interface Cells {
  rows: string[];
  times: number[];
  /** By row, from below, then by time. */
  values: (number | null)[][];
}

/** A histogram's buckets as they lie above each other, or values sorted into bins. */
export function cellsOf(panel: PanelDefinition, data: PanelData): Cells {
  const { times, lines } = data.lines;
  if (panel.buckets === 'le') {
    const bound = (text: string | undefined) => (text === '+Inf' ? Infinity : Number(text));
    // Each histogram is cumulative by itself, whatever bounds it has; what lies between two of its bounds adds up over all of them.
    const histograms = new Map<string, Line[]>();
    for (const line of lines) {
      const { le, ...labels } = line.labels;
      const key = `${line.query} ${nameOf(labels)}`;
      if (le !== undefined) histograms.set(key, [...(histograms.get(key) ?? []), line]);
    }
    const cells = new Map<string, (number | null)[]>();
    for (const buckets of histograms.values()) {
      buckets.sort((a, b) => bound(a.labels['le']) - bound(b.labels['le']));
      buckets.forEach((line, index) => {
        const row = cells.get(line.labels['le']!) ?? new Array<number | null>(times.length).fill(null);
        cells.set(line.labels['le']!, row);
        line.values.forEach((value, at) => {
          if (value !== null) row[at] = (row[at] ?? 0) + Math.max(0, value - (index === 0 ? 0 : buckets[index - 1]!.values[at] ?? 0));
        });
      });
    }
    const rows = [...cells.keys()].sort((a, b) => bound(a) - bound(b));
    return { rows, times, values: rows.map((row) => cells.get(row)!) };
  }
  const bins = panel.y_bins ?? 20;
  const all = lines.flatMap((line) => line.values).filter((value): value is number => value !== null && Number.isFinite(value));
  const [min, max] = [panel.min ?? all.reduce((low, value) => Math.min(low, value), Infinity), panel.max ?? all.reduce((high, value) => Math.max(high, value), -Infinity)];
  if (all.length === 0 || !(max >= min)) return { rows: [], times, values: [] };
  const size = (max - min) / bins || 1;
  const values = Array.from({ length: bins }, () => new Array<number | null>(times.length).fill(null));
  for (const line of lines) {
    line.values.forEach((value, at) => {
      if (value === null || !Number.isFinite(value)) return;
      const row = values[Math.min(bins - 1, Math.max(0, Math.floor((value - min) / size)))]!;
      row[at] = (row[at] ?? 0) + 1;
    });
  }
  return { rows: values.map((_, row) => String(min + (row + 1) * size)), times, values };
}
