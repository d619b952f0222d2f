import { expect, it } from 'vitest';
import { freeId, moved, placed } from './layout';
import type { PanelDefinition } from './model';

const panel = (id: string, x: number, y: number, w: number, h: number, repeat?: string): PanelDefinition => ({ id, kind: 'text', grid: { x, y, w, h }, repeat });

it('a panel that is moved onto others pushes them down, and stays within the grid', () => {
  const next = moved([panel('a', 0, 0, 12, 4), panel('b', 12, 0, 12, 4), panel('c', 0, 4, 24, 2)], 'a', { x: 18, y: 0, w: 12, h: 5 });
  expect(next.map(({ grid }) => [grid.x, grid.y, grid.w, grid.h])).toEqual([[12, 0, 12, 5], [12, 5, 12, 4], [0, 9, 24, 2]]);
});

it('a repeated panel stands there once for each value and moves down what is below', () => {
  const all = placed([panel('r', 0, 0, 12, 4, 'v'), panel('below', 0, 4, 24, 2)], new Map([['v', { values: ['1', '2', '3'], isMany: true }]]));
  expect(all.map(({ key, grid }) => [key, grid.x, grid.y])).toEqual([['r 1', 0, 0], ['r 2', 12, 0], ['r 3', 0, 4], ['below', 0, 8]]);
  expect(all[1]!.fillings.get('v')).toEqual({ values: ['2'], isMany: false });
});

it('a new id is one that nobody has', () => {
  expect(freeId([{ id: 'cpu' }, { id: 'cpu-2' }], 'cpu-2')).toBe('cpu-3');
});
