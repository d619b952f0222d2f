import { describe, expect, it, vi } from 'vitest';
import { csv } from './csv';
import { age, axisTime, bytes, dateTime, inUnit, percent, plain } from './format';

describe('numbers as people read them', () => {
  it('stay in their unit until the next one begins', () => {
    expect([0, 999, 1023, 1024, 1e15].map((value) => bytes(value))).toEqual(['0 B', '999 B', '1020 B', '1.00 KiB', '909 TiB']);
  });

  it('have three significant digits', () => {
    expect([0, 0.001234, 12.345, 999.4, 1234, 12_345, 1.5e9].map(plain)).toEqual(['0', '0.00123', '12.3', '999', '1,234', '12.3 k', '1.50 G']);
  });

  it('show what is no number as itself', () => {
    expect([NaN, Infinity, -Infinity, null].map((value) => inUnit(value, 'percent'))).toEqual(['NaN', '+Inf', '-Inf', '—']);
  });

  it('tell per cent of small shares with a decimal', () => {
    expect([0, 0.004, 0.0995, 0.5, 1].map(percent)).toEqual(['0.0 %', '0.4 %', '10 %', '50 %', '100 %']);
  });

  it('tell ages in two units', () => {
    expect([-5, 900, 61_000, 3_720_000, 90_000_000].map(age)).toEqual(['0 s', '1 s', '1 min 1 s', '1 h 2 min', '1 d 1 h']);
  });
});

it('days on which clocks change have the hours that their zone has', () => {
  vi.stubEnv('TZ', 'Europe/Berlin');
  const spring = Date.UTC(2026, 2, 29, 1);
  expect([dateTime(spring - 1000, false), dateTime(spring, false), dateTime(spring, true)]).toEqual(['2026-03-29 01:59:59', '2026-03-29 03:00:00', '2026-03-29 01:00:00']);
  const autumn = Date.UTC(2026, 9, 25, 1);
  expect([dateTime(autumn - 1000, false), dateTime(autumn, false), axisTime(autumn - 3_600_000, 3_600_000, false), axisTime(autumn, 3_600_000, false)]).toEqual(['2026-10-25 02:59:59', '2026-10-25 02:00:00', '02:00', '02:00']);
  vi.unstubAllEnvs();
});

describe('CSV', () => {
  it('quotes what needs it and lets no cell be a formula', () => {
    expect(csv([['a', 'b"c', 'd,e', '=SUM(A1)', '-1.5', '@x'], [1, null, 'ä\nö', 'plain', '+Inf', '-x']]))
      .toBe('a,"b""c","d,e",\'=SUM(A1),-1.5,\'@x\r\n1,,"ä\nö",plain,+Inf,\'-x\r\n');
  });
});
