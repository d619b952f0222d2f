// Durations as dashboards and addresses write them.

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };

/** Milliseconds of `1h30m`; null when it is none. */
export function durationOf(text: string): number | null {
  return /^(\d{1,9}(ms|[smhdwy]))+$/.test(text) ? durationMs(text) : null;
}

/** Milliseconds of a text that is known to be a duration: the collector has checked it. */
export function durationMs(text: string): number {
  let sum = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) sum += Number(amount) * UNIT_MS[unit!]!;
  return sum;
}

/** One amount of one unit. */
export function amountMs(amount: number, unit: string): number {
  return amount * UNIT_MS[unit]!;
}
