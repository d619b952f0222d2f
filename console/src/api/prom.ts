// Queries for numbers.
import { get, type Answer } from './client';

export type Labels = Record<string, string>;

export interface Matrix {
  resultType: 'matrix';
  result: { metric: Labels; values: [number, string][] }[];
  stats?: Stats;
}

export interface Vector {
  resultType: 'vector';
  result: { metric: Labels; value: [number, string] }[];
  stats?: Stats;
}

export interface Scalar {
  resultType: 'scalar' | 'string';
  result: [number, string];
  stats?: Stats;
}

export interface Stats {
  timings?: Record<string, number>;
  samples?: { totalQueryableSamples?: number };
}

export function queryRange(query: string, start: number, end: number, step: number, abort?: AbortSignal, stats?: boolean): Promise<Answer<Matrix>> {
  return get('api/v1/query_range', { query, start: start / 1000, end: end / 1000, step: step / 1000, stats: stats ? '1' : undefined }, abort);
}

export function queryAt(query: string, time: number, abort?: AbortSignal, stats?: boolean): Promise<Answer<Vector | Matrix | Scalar>> {
  return get('api/v1/query', { query, time: time / 1000, stats: stats ? '1' : undefined }, abort);
}

/** A label's value as a string of PromQL or LogQL. */
export function quoted(value: string): string {
  return '"' + value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') + '"';
}

/** A value as PromQL writes it, as a number: NaN and infinities, too. */
export function numberOf(text: string): number {
  return text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text);
}

/** A series' name: the metric and its labels, as PromQL writes them. */
export function nameOf(labels: Labels): string {
  const { __name__: name, ...rest } = labels;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${quoted(value)}`);
  return pairs.length === 0 ? name ?? '{}' : `${name ?? ''}{${pairs.join(', ')}}`;
}
