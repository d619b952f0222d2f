// The lines of a live list: each once, however they came. What a break of the stream left out is asked for where it is stored.
import { signal } from '@preact/signals';
import type { LiveEvent } from '../api/live';
import type { Entry, LogsPage } from '../api/logs';
import { isGap, type Row } from './list';

/** As many are kept. */
export const TAIL_MAX = 10_000;

/** Lines may come in this much later than newer ones. */
const LATE_MS = 60_000;

/** Asks for stored lines from a time on, the newest first. */
export type AskStored = (start: number, cursor: string | undefined) => Promise<LogsPage>;

export class LiveTail {
  /** Newest first. */
  readonly rows = signal<Row[]>([]);
  /** What came in while it is paused, newest first. */
  readonly waiting = signal<Row[]>([]);
  readonly paused = signal(false);
  /** Lines that came. */
  readonly heard = signal(0);
  /** Lines that came and are no longer kept. */
  readonly skipped = signal(0);
  /** What went by without having been seen, by what it is counted in. */
  readonly unseen = signal<Record<string, number>>({});
  private known = new Set<string>();
  /** Not yet in the list, oldest first. */
  private due: Row[] = [];
  /** What came while stored lines are asked for: it goes behind them. */
  private behind: Row[] | null = null;
  private isFillDue = false;
  private isScheduled = false;
  private gaps = 0;
  private first = Infinity;
  private last = -Infinity;
  private readonly began = Date.now();

  /** `schedule` runs what it is given soon, as with the next picture. */
  constructor(private readonly stored: AskStored, private readonly schedule: (flush: () => void) => void) {}

  take(events: readonly LiveEvent[]): void {
    for (const { kind, data } of events) {
      if (kind === 'log') this.add(data as Entry);
      else if (kind === 'lagged') {
        const { missed, of } = data as { missed: number; of: string };
        this.unseen.value = { ...this.unseen.peek(), [of]: (this.unseen.peek()[of] ?? 0) + missed };
        this.add(this.gapOf(`gap: ${missed} ${of} skipped, the collector or the connection was too slow`));
      } else if (kind === 'reset') void this.fill(true);
    }
    this.flushSoon();
  }

  /** Asks for what is stored since the newest line; with a row that says so, where the stream broke off. */
  async fill(isBreak: boolean): Promise<void> {
    if (this.behind !== null) {
      this.isFillDue ||= isBreak;
      return;
    }
    this.behind = [];
    const [found, fault] = await this.storedSince(this.last === -Infinity ? this.began - LATE_MS : Math.max(this.first, this.last - LATE_MS));
    const missing = found.filter(({ id }) => !this.known.has(id));
    const { behind } = this;
    this.behind = null;
    if (isBreak) this.add(this.gapOf(`gap: the stream broke off; ${missing.length} ${missing.length === 1 ? 'line' : 'lines'} of since then filled in${fault}`));
    for (const row of [...missing, ...behind]) this.add(row);
    this.flushSoon();
    if (this.isFillDue) {
      this.isFillDue = false;
      await this.fill(true);
    }
  }

  /** Oldest first; and what is wrong with them. */
  private async storedSince(time: number): Promise<[Entry[], string]> {
    const found: Entry[] = [];
    try {
      let cursor: string | undefined;
      do {
        const page = await this.stored(time, cursor);
        found.push(...page.result);
        cursor = page.cursor ?? undefined;
      } while (cursor !== undefined && found.length < TAIL_MAX);
      return [found.reverse(), cursor === undefined ? '' : '; older ones are left out'];
    } catch (error) {
      return [found.reverse(), `; not all of them could be had: ${error instanceof Error ? error.message : String(error)}`];
    }
  }

  /** Stands still, or goes on with what came meanwhile. */
  pause(on: boolean): void {
    this.paused.value = on;
    if (on || this.waiting.peek().length === 0) return;
    this.rows.value = newestFirst(this.waiting.peek(), this.rows.peek()).slice(0, TAIL_MAX);
    this.waiting.value = [];
  }

  find(id: string): Entry | null {
    return this.rows.peek().find((row): row is Entry => row.id === id && !isGap(row)) ?? null;
  }

  private add(row: Row): void {
    if (this.behind !== null) {
      this.behind.push(row);
      return;
    }
    if (!isGap(row)) {
      if (this.known.has(row.id)) return;
      this.known.add(row.id);
      this.first = Math.min(this.first, row.ts);
      this.last = Math.max(this.last, row.ts);
    }
    this.due.push(row);
  }

  private gapOf(gap: string): Row {
    return { id: `gap-${++this.gaps}`, gap, ts: this.last };
  }

  private flushSoon(): void {
    if (this.isScheduled || this.due.length === 0) return;
    this.isScheduled = true;
    this.schedule(() => this.flush());
  }

  private flush(): void {
    this.isScheduled = false;
    if (this.due.length === 0) return;
    const batch = this.due;
    this.due = [];
    this.heard.value += batch.reduce((sum, row) => sum + (isGap(row) ? 0 : 1), 0);
    const target = this.paused.peek() ? this.waiting : this.rows;
    // The newest are kept; that older ones went is said below the list.
    const next = newestFirst(batch.reverse(), target.peek());
    if (next.length > TAIL_MAX) this.skipped.value += next.length - TAIL_MAX;
    target.value = next.slice(0, TAIL_MAX);
    if (this.known.size > 4 * TAIL_MAX) this.known = new Set([...this.rows.peek(), ...this.waiting.peek()].map(({ id }) => id));
  }
}

/** Both by time; of one time what came later stands above. Backlog comes after newer lines and goes below them. */
function newestFirst(later: readonly Row[], earlier: readonly Row[]): Row[] {
  const sorted = later.every((row, index) => index === 0 || later[index - 1]!.ts >= row.ts) ? later : [...later].sort((a, b) => b.ts - a.ts);
  if (sorted.length === 0 || earlier.length === 0 || sorted.at(-1)!.ts >= earlier[0]!.ts) return [...sorted, ...earlier];
  const all: Row[] = [];
  let at = 0;
  for (const row of sorted) {
    while (at < earlier.length && earlier[at]!.ts > row.ts) all.push(earlier[at++]!);
    all.push(row);
  }
  return all.concat(earlier.slice(at));
}
