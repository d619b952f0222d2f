// The time range of the page, as the address has it: relative (now-1h) or fixed (milliseconds).
import { computed, effect, signal } from '@preact/signals';
import { refreshAll } from '../api/client';
import { amountMs, durationOf } from './duration';
import { query, setParams } from './router';

export const RANGES: [string, string][] = [
  ['now-5m', 'Last 5 min'], ['now-15m', 'Last 15 min'], ['now-30m', 'Last 30 min'], ['now-1h', 'Last 1 h'], ['now-3h', 'Last 3 h'],
  ['now-6h', 'Last 6 h'], ['now-12h', 'Last 12 h'], ['now-1d', 'Last 24 h'], ['now-2d', 'Last 2 d'], ['now-7d', 'Last 7 d'],
  ['now-30d', 'Last 30 d'], ['now-90d', 'Last 90 d'],
];

export const REFRESHES: [string, string][] = [['off', 'Paused'], ['5s', 'Every 5 s'], ['10s', 'Every 10 s'], ['30s', 'Every 30 s'], ['1m', 'Every 1 min'], ['5m', 'Every 5 min']];

/** Milliseconds of `now`, `now-2d`, ISO 8601, Unix seconds or milliseconds; null when it is none of them. */
export function parseTime(text: string, now: number): number | null {
  const given = text.trim();
  const relative = /^now(?:([+-])(\d{1,6})([smhdw]))?$/.exec(given);
  if (relative) {
    const [, sign, amount, unit] = relative;
    return unit === undefined ? now : now + (sign === '-' ? -1 : 1) * amountMs(Number(amount), unit);
  }
  if (/^\d{1,10}$/.test(given)) return Number(given) * 1000;
  if (/^\d{11,15}$/.test(given)) return Number(given);
  const time = Date.parse(given);
  return Number.isNaN(time) ? null : time;
}

/** What holds where the address says nothing; a dashboard brings its own. */
export const defaults = signal({ from: 'now-1h', refresh: '10s' });

export const from = computed(() => query.value.get('from') ?? defaults.value.from);
export const to = computed(() => query.value.get('to') ?? 'now');

/** Whether the end moves with the clock. */
export const isRelative = computed(() => to.value.startsWith('now'));

/** Whether times are shown in UTC rather than in the browser's zone. */
export const isUtc = computed(() => (query.value.get('tz') ?? stored('lm-tz') ?? 'browser') === 'utc');

export const zoneName = computed(() => (isUtc.value ? 'UTC' : Intl.DateTimeFormat().resolvedOptions().timeZone || 'browser'));

export const refresh = computed(() => query.value.get('refresh') ?? defaults.value.refresh);

/** The end of relative ranges: moves with each refresh, so that all charts of a page have the same one. */
export const now = signal(Date.now());

export interface Range {
  start: number;
  end: number;
}

/** The range in milliseconds; one that cannot be read, or ends before it begins, is the last hour. */
export const range = computed<Range>(() => {
  const start = parseTime(from.value, now.value);
  const end = parseTime(to.value, now.value);
  return start === null || end === null || end <= start ? { start: now.value - 3_600_000, end: now.value } : { start, end };
});

export const label = computed(() => {
  if (to.value === 'now') {
    const known = RANGES.find(([name]) => name === from.value);
    if (known) return known[1];
  }
  return null;
});

export function setRange(start: string | number, end: string | number): void {
  setParams({ from: String(start), to: String(end) }, 'push');
}

/** Moves a fixed or relative range by a share of its length. */
export function shift(share: number): void {
  const { start, end } = range.value;
  const by = Math.round((end - start) * share);
  setRange(start + by, end + by);
}

export function zoomOut(): void {
  const { start, end } = range.value;
  const half = Math.round((end - start) / 2);
  setRange(start - half, Math.min(end + half, Math.max(end, Date.now())));
}

/** Between two points: whole seconds, at least the floor, at most one point for each pixel. */
export function stepOf({ start, end }: Range, width: number, floorMs = 15_000): number {
  const raw = Math.max(floorMs, (end - start) / Math.max(50, Math.min(1500, width)));
  const steps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];
  return (steps.find((step) => step * 1000 >= raw) ?? Math.ceil(raw / 86_400_000) * 86_400) * 1000;
}

/** The range with both ends on multiples of the step, so that refreshes do not make lines jitter. */
export function aligned({ start, end }: Range, step: number): Range {
  return { start: Math.floor(start / step) * step, end: Math.floor(end / step) * step };
}

export function setZone(zone: 'utc' | 'browser'): void {
  store('lm-tz', zone);
  setParams({ tz: zone });
}

export function stored(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage can be turned off
  }
}

export function store(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // It is a convenience only.
  }
}

/** Grows when a person asks for a refresh; what would lose its place by a timer's refresh goes by this. */
export const asked = signal(0);

/** Asks for everything on the page again, because a person wants it. */
export function refreshNow(): void {
  asked.value++;
  tick();
}

function tick(): void {
  now.value = Date.now();
  refreshAll();
}

const REFRESH_MIN_MS = 1000;
const REFRESH_MAX_MS = 86_400_000;

/** How often a page asks again, in milliseconds: an address or a dashboard may say anything, a timer takes no more than 24 days. Null: never. */
export function refreshMs(text: string): number | null {
  const wanted = durationOf(text);
  return wanted === null ? null : Math.min(REFRESH_MAX_MS, Math.max(REFRESH_MIN_MS, wanted));
}

effect(() => {
  const every = refreshMs(refresh.value);
  if (every === null || !isRelative.value) return;
  const timer = setInterval(() => {
    if (!document.hidden) tick();
  }, every);
  return () => clearInterval(timer);
});

document.addEventListener('visibilitychange', () => {
  if (!document.hidden && isRelative.value && refresh.value !== 'off') tick();
});
