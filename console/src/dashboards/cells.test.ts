import { expect, it } from 'vitest';
import { cellsOf } from './cells';
import type { PanelData } from './data';
import type { PanelDefinition } from './model';

const PANEL: PanelDefinition = { id: 'h', kind: 'heatmap', grid: { x: 0, y: 0, w: 1, h: 1 }, buckets: 'le' };

function dataOf(...lines: [labels: Record<string, string>, ...values: (number | null)[]][]): PanelData {
  return {
    lines: { times: [1, 2], lines: lines.map(([labels, ...values]) => ({ name: '', labels, values, query: 0 })) },
    rows: [], before: [], page: null, warnings: [], events: [], asked: [], step: 1000,
  };
}

it('buckets of one histogram are counts between bounds', () => {
  expect(cellsOf(PANEL, dataOf([{ le: '+Inf' }, 9, 9], [{ le: '0.5' }, 2, 3], [{ le: '1' }, 5, null]))).toEqual({
    rows: ['0.5', '1', '+Inf'], times: [1, 2], values: [[2, 3], [3, null], [4, 9]],
  });
});

it('several histograms add up, whatever bounds each of them has', () => {
  const data = dataOf([{ le: '1', path: '/a' }, 1, 1], [{ le: '+Inf', path: '/a' }, 4, 4], [{ le: '1', path: '/b' }, 10, 10], [{ le: '2', path: '/b' }, 30, 30], [{ le: '+Inf', path: '/b' }, 30, 31]);
  expect(cellsOf(PANEL, data)).toEqual({ rows: ['1', '2', '+Inf'], times: [1, 2], values: [[11, 11], [20, 20], [3, 4]] });
});

it('values are counted in bins of one height', () => {
  expect(cellsOf({ ...PANEL, buckets: undefined, y_bins: 2, min: 0, max: 10 }, dataOf([{}, 1, 9], [{ a: 'b' }, 2, 10])).values).toEqual([[2, null], [null, 2]]);
});
