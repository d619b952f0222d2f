// Answers of range queries as columns for charts.
import type { Labels, Matrix } from '../api/prom';
import { numberOf } from '../api/prom';
import { visible } from './text';

export interface Line {
  name: string;
  labels: Labels;
  values: (number | null)[];
  /** On the right-hand scale. */
  right?: boolean;
  /** Which of a panel's queries gave it. */
  query?: number;
}

/** Series that a chart draws at first. */
export const DRAWN = 30;

export interface Lines {
  /** Seconds since 1970, evenly spaced. */
  times: number[];
  lines: Line[];
}

/** One column of times and one for each series; where there is no sample there is a hole, never a zero. */
export function linesOf(matrix: Matrix, start: number, end: number, step: number, name: (labels: Labels) => string): Lines {
  const count = Math.floor((end - start) / step) + 1;
  const times = Array.from({ length: count }, (_, index) => (start + index * step) / 1000);
  const lines = matrix.result.map(({ metric, values }) => {
    const column = new Array<number | null>(count).fill(null);
    for (const [time, value] of values) {
      const at = Math.round((time * 1000 - start) / step);
      if (at >= 0 && at < count) column[at] = numberOf(value);
    }
    return { name: visible(name(metric)), labels: metric, values: column };
  });
  return { times, lines };
}

export interface Summary {
  last: number | null;
  min: number | null;
  max: number | null;
  avg: number | null;
}

export function summaryOf(values: readonly (number | null)[]): Summary {
  let last: number | null = null;
  let min: number | null = null;
  let max: number | null = null;
  let [sum, count] = [0, 0];
  for (const value of values) {
    if (value === null) continue;
    last = value;
    if (!Number.isFinite(value)) continue;
    if (min === null || value < min) min = value;
    if (max === null || value > max) max = value;
    sum += value;
    count++;
  }
  return { last, min, max, avg: count === 0 ? null : sum / count };
}

/** Each line's share of all of them, in per cent. */
export function shares(lines: readonly Line[]): Line[] {
  const sums: number[] = [];
  for (const line of lines) line.values.forEach((value, index) => { if (value !== null && Number.isFinite(value)) sums[index] = (sums[index] ?? 0) + value; });
  return lines.map((line) => ({ ...line, values: line.values.map((value, index) => (value === null || !sums[index] ? null : (100 * value) / sums[index])) }));
}

/** Each line on top of those before it; a hole in one line counts as nothing there. */
export function stacked(lines: readonly Line[]): (number | null)[][] {
  const sums: number[] = [];
  return lines.map((line) => line.values.map((value, index) => {
    if (value === null || !Number.isFinite(value)) return null;
    sums[index] = (sums[index] ?? 0) + value;
    return sums[index];
  }));
}

/** First and last index of each run of values. */
export function stretchesOf(values: readonly (number | null)[]): [first: number, last: number][] {
  const runs: [number, number][] = [];
  values.forEach((value, index) => {
    if (value === null) return;
    const last = runs.at(-1);
    if (last !== undefined && last[1] === index - 1) last[1] = index;
    else runs.push([index, index]);
  });
  return runs;
}
