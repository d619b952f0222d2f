import { expect, it, vi } from 'vitest';

vi.stubGlobal('location', { pathname: '/', search: '', origin: 'http://localhost' });
vi.stubGlobal('window', { addEventListener: () => undefined });
vi.stubGlobal('document', { addEventListener: () => undefined, hidden: false });
vi.stubGlobal('localStorage', { getItem: () => null, setItem: () => undefined });
vi.stubGlobal('setInterval', () => 0);

const { aligned, parseTime, refreshMs, stepOf } = await import('./time');
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

it('times are read in every form that people paste', () => {
  expect(parseTime('now', NOW)).toBe(NOW);
  expect(parseTime('now-2d', NOW)).toBe(NOW - 172_800_000);
  expect(parseTime(' now+15m ', NOW)).toBe(NOW + 900_000);
  expect(parseTime('1767323045', NOW)).toBe(NOW);
  expect(parseTime('1767323045000', NOW)).toBe(NOW);
  expect(parseTime('2026-01-02T03:04:05Z', NOW)).toBe(NOW);
  for (const text of ['', 'then', 'now-', 'now-2x', '1e9x']) expect(parseTime(text, NOW)).toBeNull();
});

it('a refresh is what it says, within what a timer and a collector bear', () => {
  expect(refreshMs('15s')).toBe(15_000);
  expect(refreshMs('1h')).toBe(3_600_000);
  expect(refreshMs('1m30s')).toBe(90_000);
  expect(refreshMs('0s')).toBe(1000);
  expect(refreshMs('5ms')).toBe(1000);
  expect(refreshMs('52w')).toBe(86_400_000);
  for (const text of ['off', '', '5', '-5s', '5x', '1e9s']) expect(refreshMs(text)).toBeNull();
});

it('there is at most one point a pixel and never less than the floor between two', () => {
  expect(stepOf({ start: 0, end: 3_600_000 }, 600)).toBe(15_000);
  expect(stepOf({ start: 0, end: 86_400_000 }, 600)).toBe(300_000);
  for (const hours of [1, 24, 24 * 90, 24 * 3650]) expect((hours * 3_600_000) / stepOf({ start: 0, end: hours * 3_600_000 }, 9999)).toBeLessThanOrEqual(1500);
});

it('ends lie on the grid of the steps', () => {
  expect(aligned({ start: 61_001, end: 125_999 }, 60_000)).toEqual({ start: 60_000, end: 120_000 });
});
