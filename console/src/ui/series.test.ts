import { expect, it } from 'vitest';
import { linesOf, stacked, summaryOf } from './series';

const matrix = { resultType: 'matrix' as const, result: [{ metric: { host: 'a' }, values: [[10, '1'], [30, 'NaN'], [40, '+Inf']] as [number, string][] }] };

it('samples stand at their time and holes stay holes', () => {
  const { times, lines } = linesOf(matrix, 10_000, 40_000, 10_000, (labels) => labels['host'] ?? '');
  expect(times).toEqual([10, 20, 30, 40]);
  expect(lines[0]).toMatchObject({ name: 'a', values: [1, null, NaN, Infinity] });
});

it('a summary leaves out what is no number but for the last value', () => {
  expect(summaryOf([null, 4, NaN, 2, Infinity])).toEqual({ last: Infinity, min: 2, max: 4, avg: 3 });
  expect(summaryOf([null])).toEqual({ last: null, min: null, max: null, avg: null });
});

it('stacked lines stand on those before them', () => {
  const line = (values: (number | null)[]) => ({ name: '', labels: {}, values });
  expect(stacked([line([1, null, 3]), line([10, 20, null]), line([1, 1, 1])])).toEqual([[1, null, 3], [11, 20, null], [12, 21, 4]]);
});
