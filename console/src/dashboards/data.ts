// What a panel asks for, by its kind.
import { type LogsPage, logNumbers, logs } from '../api/logs';
import { type Labels, type Matrix, nameOf, numberOf, queryAt, queryRange, type Scalar, type Vector } from '../api/prom';
import { durationMs } from '../app/duration';
import type { Range } from '../app/time';
import { aligned, stepOf } from '../app/time';
import { hostEvents, hostGaps } from '../ui/annotations';
import type { Annotation } from '../ui/plot';
import { type Line, type Lines, linesOf, summaryOf } from '../ui/series';
import { visible } from '../ui/text';
import { fill, type Filling, type Fillings, missingIn } from './fill';
import { legendOf, type PanelDefinition, type Query, type Reduce } from './model';
import { stepFloor, stepsOf } from './variables';

/** One series' value now. */
export interface Row {
  query: number;
  name: string;
  labels: Labels;
  value: number | null;
  /** As the answer has it. */
  text: string;
}

export interface PanelData {
  lines: Lines;
  rows: Row[];
  /** The values `compare` ago. */
  before: Row[];
  page: LogsPage | null;
  warnings: string[];
  /** What happened at the hosts meanwhile, in seconds. */
  events: Annotation[];
  /** The queries as they were asked. */
  asked: string[];
  step: number;
}

export interface PanelAsk {
  panel: PanelDefinition;
  fillings: Fillings;
  range: Range;
  width: number;
}

const HEATMAP_COLUMNS = 80;

/** Lines of a list that does not say how many. */
export const LINES = 200;

/** Step, and the queries filled in: what is the same gives the same answer. */
export function planOf({ panel, fillings, range, width }: PanelAsk): { asked: string[]; shown: Query[]; step: number; start: number; end: number } {
  const shown = (panel.queries ?? []).filter((query) => query.hidden !== true);
  const step = stepOf(range, panel.kind === 'heatmap' ? Math.min(HEATMAP_COLUMNS, width / 8) : width / 2, stepFloor(shown.map((query) => query.min_step)));
  const { start, end } = aligned(range, step);
  const steps = stepsOf(step, range.end - range.start);
  return { asked: shown.map((query) => fill(query.promql ?? query.logql ?? '', fillings, steps)), shown, step, start, end };
}

/** The variables without which the panel cannot ask. */
export function missingFor(panel: PanelDefinition, fillings: Fillings): Filling[] {
  const shown = (panel.queries ?? []).filter((query) => query.hidden !== true).map((query) => query.promql ?? query.logql ?? '');
  return missingIn([panel.show_if ?? '', ...shown].join('\n'), fillings);
}

/** Asks for what a panel shows; for the lines of one that is live up to the newest, whose time may be ahead of this clock. */
export async function load(ask: PanelAsk, abort: AbortSignal, isLive = false): Promise<PanelData> {
  const { panel, range } = ask;
  const { asked, shown, step, start, end } = planOf(ask);
  const data: PanelData = { lines: { times: [], lines: [] }, rows: [], before: [], page: null, warnings: [], events: [], asked, step };
  if (panel.show_if !== undefined) {
    const { data: any } = await queryAt(fill(panel.show_if, ask.fillings, stepsOf(step, range.end - range.start)), range.end, abort);
    if (any.resultType === 'vector' && any.result.length === 0) return { ...data, asked: [] };
  }
  if (panel.kind === 'logs') {
    const { data: page, warnings } = await logs({ query: asked[0] ?? '', start: range.start, end: isLive ? undefined : range.end, direction: 'backward' }, undefined, abort, panel.limit ?? LINES);
    return { ...data, page, warnings };
  }

  const wants = wantsOf(panel);
  // Each query's lines by themselves, or their order and colours would follow who answers first.
  const linesByQuery: Line[][] = shown.map(() => []);
  await Promise.all(shown.map(async (query, index) => {
    const text = asked[index]!;
    const place = (panel.queries ?? []).indexOf(query); // a table's columns count hidden ones, too
    const name = (labels: Labels) => (query.legend === undefined ? nameOf(labels) : legendOf(query.legend, labels));
    const note = ({ warnings, infos }: { warnings: string[]; infos: string[] }) => data.warnings.push(...warnings, ...infos);
    if (wants.range && query.instant !== true) {
      const answer = await (query.logql === undefined ? queryRange(text, start, end, step, abort) : logNumbers(text, start, end, step, abort));
      note(answer);
      const found = linesOf(answer.data, start, end, step, name);
      data.lines.times = found.times;
      linesByQuery[index] = found.lines.map((line) => ({ ...line, right: query.axis === 'right', query: place })).sort(byName);
    }
    if (wants.instant || query.instant === true) {
      const answer = query.logql === undefined ? await queryAt(text, range.end, abort) : await logNumbers(text, range.end, range.end, 1000, abort);
      note(answer);
      data.rows.push(...rowsOf(answer.data, place, name));
    }
    if (panel.compare !== undefined && query.logql === undefined) {
      const answer = await queryAt(text, range.end - durationMs(panel.compare), abort);
      data.before.push(...rowsOf(answer.data, place, name));
    }
  }));
  data.lines.lines = linesByQuery.flat();
  if (panel.kind === 'timeseries') {
    const host = hostMatcher(data.asked);
    for (const kind of panel.annotations ?? []) {
      if (kind === 'alerts') continue;
      const { events, warnings } = await (kind === 'events' ? hostEvents(host, range, abort) : hostGaps(host, { start, end }, step, abort));
      data.events.push(...events);
      data.warnings.push(...warnings);
    }
  }
  data.rows.sort((a, b) => a.query - b.query);
  if (panel.kind === 'stat' || panel.kind === 'gauge') data.rows = reduced(data, panel.reduce ?? 'last');
  return data;
}

// PromQL and LogQL write matchers alike.
function hostMatcher(asked: readonly string[]): string | undefined {
  return asked.map((query) => /\binstance=~?"(?:[^"\\]|\\.)*"/.exec(query)?.[0]).find((matcher) => matcher !== undefined);
}

function byName(a: Line, b: Line): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function wantsOf({ kind, sparkline, reduce, history }: PanelDefinition): { range: boolean; instant: boolean } {
  const isLast = (reduce ?? 'last') === 'last';
  switch (kind) {
    case 'stat': return { range: sparkline !== false || !isLast, instant: isLast };
    case 'gauge': return { range: !isLast, instant: isLast };
    case 'status': return { range: history === true, instant: true };
    case 'table': return { range: false, instant: true };
    default: return { range: true, instant: false };
  }
}

function rowsOf(data: Vector | Matrix | Scalar, query: number, name: (labels: Labels) => string): Row[] {
  const row = (labels: Labels, text: string): Row => ({ query, name: visible(name(labels)), labels, value: numberOf(text), text });
  if (data.resultType === 'vector') return data.result.map(({ metric, value }) => row(metric, value[1]));
  if (data.resultType === 'matrix') return data.result.flatMap(({ metric, values }) => (values.length === 0 ? [] : [row(metric, values.at(-1)![1])]));
  return [row({}, data.result[1])];
}

function reduced(data: PanelData, by: Reduce): Row[] {
  if (by === 'last') return data.rows;
  return data.lines.lines.map((line) => {
    const { min, max, avg } = summaryOf(line.values);
    const sum = line.values.reduce<number | null>((total, value) => (value === null || !Number.isFinite(value) ? total : (total ?? 0) + value), null);
    const value = by === 'min' ? min : by === 'max' ? max : by === 'avg' ? avg : sum;
    return { query: line.query ?? 0, name: line.name, labels: line.labels, value, text: value === null ? '' : String(value) };
  });
}
