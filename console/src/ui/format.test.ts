import { describe, expect, it } from 'vitest';
import { csv } from './csv';
import { age, bytes, inUnit, percent, plain } from './format';

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

describe('CSV', () => {
  it('quotes what needs it and lets no cell be a formula', () => {
    expect(csv([['a', 'b"c', 'd,e', '=SUM(A1)', '-1.5', '@x'], [1, null, 'ä\nö', 'plain', '+Inf', '-x']]))
      .toBe('a,"b""c","d,e",\'=SUM(A1),-1.5,\'@x\r\n1,,"ä\nö",plain,+Inf,\'-x\r\n');
  });
});
