import { expect, it } from 'vitest';
import shared from '../../../tests/fixtures/dashboards/fill.json?raw';
import { fill, fillText, fillUrl } from './fill';

const steps = { __step: '15s', __range: '15s', __rate: '15s' };

interface Case {
  query: string;
  values: Record<string, string[]>;
  many?: string[];
  intervals?: string[];
  filled?: string;
  fault?: string;
}

it('values are escaped for where they stand and refused elsewhere, as the collector has it', () => {
  const cases = JSON.parse(shared) as Case[];
  expect(cases.length).toBeGreaterThan(10);
  for (const { query, values, many = [], intervals = [], filled, fault } of cases) {
    const fillings = new Map(Object.entries(values).map(([name, each]) => [name, { values: each, isMany: many.includes(name), isInterval: intervals.includes(name) }]));
    if (fault !== undefined) expect(() => fill(query, fillings, steps)).toThrow(fault);
    else expect(fill(query, fillings, steps)).toBe(filled);
  }
});

it('an address cannot put anything but a duration where durations stand', () => {
  expect(() => fill('rate(x[$every])', new Map([['every', { values: ['5m]) or (up'], isInterval: true }]]), steps)).toThrow('$every is no duration');
});

it('in titles values stand as they are, in addresses as parts of them', () => {
  const fillings = new Map([['host', { values: ['a/b c'] }]]);
  expect(fillText('CPU of $host, ${host}, $other', fillings)).toBe('CPU of a/b c, a/b c, $other');
  expect(fillUrl('hosts/$host?x={{label}}', fillings, { label: '&y' })).toBe('hosts/a%2Fb%20c?x=%26y');
});
