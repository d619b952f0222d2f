// Lines by the hundred thousand. As objects of JSON a line of 120 bytes takes six hundred; here its text and id lie in one string with those of its page, and
// labels that lines have in common are there once.
import type { Entry } from '../api/logs';
import type { Labels } from '../api/prom';

/** More than this no list can be tall enough for; a range with fewer lines, or a file, serves better then. */
export const LINES_MAX = 1_000_000;

/** Label sets that are looked up; beyond it each line keeps its own. */
const SETS_MAX = 10_000;

interface Page {
  /** Of the first line in the list. */
  first: number;
  times: Float64Array;
  texts: string;
  textEnds: Uint32Array;
  ids: string;
  idEnds: Uint32Array;
  sets: Labels[];
}

/** A list that only grows; what it was before stays as it was. */
export class LineStore {
  static readonly empty = new LineStore([], 0, new Map());

  private constructor(private readonly pages: readonly Page[], readonly length: number, private readonly known: Map<string, Labels>) {}

  append(entries: readonly Entry[]): LineStore {
    if (entries.length === 0) return this;
    const page: Page = {
      first: this.length, times: new Float64Array(entries.length), texts: entries.map(({ line }) => line).join(''), textEnds: new Uint32Array(entries.length),
      ids: entries.map(({ id }) => id).join(''), idEnds: new Uint32Array(entries.length), sets: [],
    };
    let [text, id] = [0, 0];
    entries.forEach((entry, index) => {
      page.times[index] = entry.ts;
      page.textEnds[index] = text += entry.line.length;
      page.idEnds[index] = id += entry.id.length;
      page.sets.push(this.shared(entry.stream), this.shared(entry.attrs), this.shared(entry.labels));
    });
    return new LineStore([...this.pages, page], this.length + entries.length, this.known);
  }

  get(index: number): Entry {
    const page = this.pages[this.pageOf(index)]!;
    const at = index - page.first;
    const [stream, attrs, labels] = page.sets.slice(at * 3, at * 3 + 3) as [Labels, Labels, Labels];
    return {
      ts: page.times[at]!, stream, attrs, labels, id: page.ids.slice(at === 0 ? 0 : page.idEnds[at - 1]!, page.idEnds[at]!),
      line: page.texts.slice(at === 0 ? 0 : page.textEnds[at - 1]!, page.textEnds[at]!),
    };
  }

  find(id: string): Entry | null {
    for (const page of this.pages) {
      // A page that does not have it anywhere need not be taken apart.
      if (!page.ids.includes(id)) continue;
      for (let at = 0; at < page.times.length; at++) {
        if (page.ids.slice(at === 0 ? 0 : page.idEnds[at - 1]!, page.idEnds[at]!) === id) return this.get(page.first + at);
      }
    }
    return null;
  }

  *[Symbol.iterator](): Generator<Entry> {
    for (let index = 0; index < this.length; index++) yield this.get(index);
  }

  private pageOf(index: number): number {
    let [low, high] = [0, this.pages.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.pages[middle]!.first <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private shared(labels: Labels): Labels {
    const key = JSON.stringify(labels);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size < SETS_MAX) this.known.set(key, labels);
    return labels;
  }
}
