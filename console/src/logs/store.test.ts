import { expect, it } from 'vitest';
import type { Entry } from '../api/logs';
import { LineStore } from './store';

const entry = (number: number): Entry => ({ ts: number, id: `id-${number}`, stream: { instance: `web${number % 2}` }, attrs: number % 3 === 0 ? { n: String(number) } : {}, labels: {}, line: 'ä'.repeat(number % 4) + number });

it('lines come back as they went in, by place, by id and in order', () => {
  const all = Array.from({ length: 2500 }, (_, number) => entry(number));
  let store = LineStore.empty;
  for (let from = 0; from < all.length; from += 700) store = store.append(all.slice(from, from + 700));
  expect(store.length).toBe(2500);
  expect([...store]).toEqual(all);
  for (const index of [0, 699, 700, 701, 2499]) expect(store.get(index)).toEqual(all[index]);
  expect(store.find('id-1400')).toEqual(all[1400]);
  expect(store.find('id-140')).toEqual(all[140]);
  expect(store.find('d-1400')).toBeNull();
  expect(store.find('none')).toBeNull();
});

it('what was there stays as it was, and labels in common are there once', () => {
  const before = LineStore.empty.append([entry(1)]);
  const after = before.append([entry(3), entry(5)]);
  expect([before.length, after.length, LineStore.empty.length]).toEqual([1, 3, 0]);
  expect(after.get(2).stream).toBe(after.get(0).stream);
});
