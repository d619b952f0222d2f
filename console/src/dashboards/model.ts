// A definition as the collector hands it on: what the TOML says, and nothing that it leaves out.
import type { Unit } from '../ui/format';

export interface Definition {
  version?: number;
  id: string;
  title: string;
  description?: string;
  tags?: string[];
  range?: string;
  refresh?: string;
  overrides_builtin?: boolean;
  variables?: Variable[];
  panels?: PanelDefinition[];
}

export interface Variable {
  name: string;
  label?: string;
  kind: 'label_values' | 'query' | 'list' | 'interval' | 'text';
  of?: string;
  match?: string;
  promql?: string;
  label_name?: string;
  values?: string[];
  multi?: boolean;
  all?: boolean;
  default?: string;
  sort?: 'asc' | 'desc' | 'none';
}

export interface Grid { x: number; y: number; w: number; h: number }

export interface Query {
  promql?: string;
  logql?: string;
  legend?: string;
  instant?: boolean;
  min_step?: string;
  hidden?: boolean;
  axis?: 'left' | 'right';
}

export type Level = 'ok' | 'warn' | 'crit';

export interface Threshold { level: Level; above?: number; below?: number }

export interface Column { label?: string; query?: number; title?: string; unit?: Unit; width?: number; bar?: boolean }

export interface MapEntry { value?: number; from?: number; to?: number; state: Level; text?: string }

export const KINDS = ['timeseries', 'stat', 'gauge', 'table', 'logs', 'status', 'heatmap', 'text'] as const;

export type Reduce = 'last' | 'min' | 'max' | 'avg' | 'sum';

export interface PanelDefinition {
  id: string;
  title?: string;
  description?: string;
  kind: (typeof KINDS)[number];
  grid: Grid;
  unit?: Unit;
  decimals?: number;
  min?: number;
  max?: number;
  repeat?: string;
  links?: { title: string; url: string }[];
  show_if?: string;
  queries?: Query[];
  thresholds?: Threshold[];
  style?: 'line' | 'area' | 'bars' | 'steps' | 'points';
  stack?: 'none' | 'normal' | 'percent';
  scale?: 'linear' | 'log';
  legend?: 'table' | 'list' | 'none';
  connect_gaps?: boolean;
  annotations?: string[];
  reduce?: Reduce;
  sparkline?: boolean;
  compare?: string;
  shape?: 'arc' | 'bar';
  columns?: Column[];
  sort?: string;
  limit?: number;
  link?: string;
  wrap?: boolean;
  fields?: string[];
  live?: boolean;
  map?: MapEntry[];
  history?: boolean;
  buckets?: 'le';
  y_bins?: number;
  palette?: 'blue' | 'heat' | 'grey';
  body?: string;
}

/** The worst threshold that a value passes. */
export function levelOf(value: number | null, thresholds: readonly Threshold[] | undefined): Level | null {
  const ranks: Level[] = ['ok', 'warn', 'crit'];
  let worst = -1;
  for (const { level, above, below } of thresholds ?? []) {
    if (value !== null && ((above !== undefined && value > above) || (below !== undefined && value < below))) worst = Math.max(worst, ranks.indexOf(level));
  }
  return worst < 0 ? null : ranks[worst]!;
}

/** What a legend makes of a series' labels: `{{label}}` is its value. */
export function legendOf(legend: string, labels: Record<string, string>): string {
  return legend.replace(/\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/g, (_, name: string) => labels[name] ?? '');
}
