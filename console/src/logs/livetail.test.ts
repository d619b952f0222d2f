import { expect, it, vi } from 'vitest';
import type { Entry, LogsPage } from '../api/logs';

vi.stubGlobal('window', { addEventListener: () => undefined });
vi.stubGlobal('location', { pathname: '/', search: '', origin: 'http://localhost' });
vi.stubGlobal('document', { addEventListener: () => undefined, hidden: false });
vi.stubGlobal('setInterval', () => 0);

const { isGap } = await import('./list');
const { LiveTail, TAIL_MAX } = await import('./livetail');

const entry = (number: number, ts = number): Entry => ({ ts, id: `id-${number}`, stream: {}, attrs: {}, labels: {}, line: String(number) });
const log = (number: number, ts = number) => ({ kind: 'log', data: entry(number, ts) });
const pageOf = (entries: Entry[], cursor: string | null = null): LogsPage => ({ resultType: 'lines', result: entries, cursor });

/** What stands there, oldest first. */
function shown(tail: InstanceType<typeof LiveTail>): string[] {
  return tail.rows.value.map((row) => (isGap(row) ? row.gap : row.line)).reverse();
}

const now = (flush: () => void) => flush();

it('a line is there once, and in the order of its time', () => {
  const tail = new LiveTail(() => Promise.reject(new Error('not asked')), now);
  tail.take([log(1), log(2), log(2), log(5)]);
  tail.take([log(4), log(3), log(1)]);
  expect(shown(tail)).toEqual(['1', '2', '3', '4', '5']);
  expect(tail.heard.value).toBe(5);
});

it('lines of one time keep the order in which they came', () => {
  const tail = new LiveTail(() => Promise.reject(new Error('not asked')), now);
  tail.take([log(1, 7), log(2, 7)]);
  tail.take([log(3, 7), log(4, 8)]);
  tail.take([log(5, 7)]);
  expect(shown(tail)).toEqual(['1', '2', '3', '5', '4']);
});

it('where the stream broke off what is stored fills the hole, and the row says so', async () => {
  let answer: (page: LogsPage) => void = () => undefined;
  const asked: number[] = [];
  const tail = new LiveTail((start) => { asked.push(start); return new Promise((go) => { answer = go; }); }, now);
  tail.take([log(1, 100_000), log(2, 101_000)]);
  tail.take([{ kind: 'reset', data: {} }, log(5, 104_000)]);
  expect(shown(tail)).toEqual(['1', '2']); // what comes meanwhile waits for what was before it
  answer(pageOf([entry(5, 104_000), entry(4, 103_000), entry(3, 102_000), entry(2, 101_000), entry(1, 100_000)]));
  await vi.waitFor(() => expect(shown(tail)).toEqual(['1', '2', 'gap: the stream broke off; 3 lines of since then filled in', '3', '4', '5']));
  expect(asked).toEqual([100_000]); // nothing from before the list began
});

it('a hole that cannot be filled is told', async () => {
  const tail = new LiveTail(() => Promise.reject(new Error('away')), now);
  tail.take([log(1), { kind: 'reset', data: {} }, log(2)]);
  await vi.waitFor(() => expect(shown(tail)).toEqual(['1', 'gap: the stream broke off; 0 lines of since then filled in; not all of them could be had: away', '2']));
});

it('the newest are kept, and how many are not', () => {
  const tail = new LiveTail(() => Promise.reject(new Error('not asked')), now);
  tail.take(Array.from({ length: TAIL_MAX + 7 }, (_, number) => log(number)));
  expect(tail.rows.value).toHaveLength(TAIL_MAX);
  expect([tail.skipped.value, shown(tail)[0]]).toEqual([7, '7']);
});
