// Queries for lines.
import { get, type Answer, queryOf, send } from './client';
import type { Labels, Matrix } from './prom';

export interface Entry {
  ts: number;
  id: string;
  stream: Labels;
  attrs: Labels;
  labels: Labels;
  line: string;
}

export interface LogsPage {
  resultType: 'lines' | 'matrix';
  result: Entry[];
  cursor: string | null;
  stats?: { lines_read: number; bytes_read: number };
}

export interface FieldsAnswer {
  lines: number;
  fields: { name: string; count: number; distinct: number; top: { value: string; count: number }[] }[];
}

export type Direction = 'backward' | 'forward';

export interface LogsAsk {
  query: string;
  /** Milliseconds, as everywhere here; the API takes seconds. */
  start: number;
  /** None: everything up to the newest. */
  end: number | undefined;
  direction: Direction;
}

export const PAGE_LINES = 1000;

/** Of the pages behind the first: who wants more wants much. */
export const MORE_LINES = 5000;

function paramsOf({ query, start, end, direction }: LogsAsk) {
  return { query, start: start / 1000, end: end === undefined ? undefined : end / 1000, direction };
}

export function logs(ask: LogsAsk, cursor: string | undefined, abort: AbortSignal, limit = PAGE_LINES): Promise<Answer<LogsPage>> {
  return get('api/v1/logs', { ...paramsOf(ask), cursor, limit }, abort);
}

/** Numbers made of lines. */
export function logNumbers(query: string, start: number, end: number, step: number, abort: AbortSignal): Promise<Answer<Matrix>> {
  return get('api/v1/logs', { query, start: start / 1000, end: end / 1000, step: step / 1000 }, abort);
}

export function volume(query: string, start: number, end: number, step: number, abort: AbortSignal): Promise<Answer<Matrix & { step: number }>> {
  return get('api/v1/logs/volume', { query, start: start / 1000, end: end / 1000, step: step / 1000 }, abort);
}

export function fields(ask: LogsAsk, abort: AbortSignal): Promise<Answer<FieldsAnswer>> {
  return get('api/v1/logs/fields', { ...paramsOf(ask), limit: PAGE_LINES }, abort);
}

export function context(id: string, query: string, abort: AbortSignal): Promise<Answer<{ before: Entry[]; after: Entry[] }>> {
  return get('api/v1/logs/context', { id, query, before: 20, after: 20 }, abort);
}

/** As NDJSON, up to so many lines. */
export function download(ask: LogsAsk, limit: number): Promise<Blob> {
  return send(`api/v1/logs?${queryOf({ ...paramsOf(ask), limit })}`, { headers: { Accept: 'application/x-ndjson' } }, (answer) => answer.blob());
}
