// Server-sent events over fetch: unlike EventSource it sees the comments that keep a stream alive, the status of a refusal, and takes up again
// after one.
import { signal, type Signal } from '@preact/signals';
import { answeredAt, base, down, queryOf, sessionEnded, type Params } from './client';

const SILENCE_MS = 40_000;
const HIDDEN_MS = 30_000;

export type LiveState = { kind: 'off' | 'open' } | { kind: 'lost'; retryAt: number };

export interface LiveEvent {
  kind: string;
  data: unknown;
}

/** One stream that is kept open until it is stopped. */
export class LiveStream {
  readonly state: Signal<LiveState> = signal<LiveState>({ kind: 'off' });
  private lastId = '';
  private abort: AbortController | null = null;
  private timer = 0;
  private attempt = 0;
  private stopped = true;

  constructor(private readonly params: Params, private readonly take: (events: LiveEvent[]) => void) {}

  start(): void {
    this.stopped = false;
    document.addEventListener('visibilitychange', this.onVisibility);
    void this.run();
  }

  stop(): void {
    this.stopped = true;
    document.removeEventListener('visibilitychange', this.onVisibility);
    clearTimeout(this.timer);
    this.abort?.abort();
    this.state.value = { kind: 'off' };
  }

  private readonly onVisibility = () => {
    clearTimeout(this.timer);
    if (document.hidden) this.timer = window.setTimeout(() => this.abort?.abort(), HIDDEN_MS);
    else if (this.state.value.kind !== 'open') void this.run();
  };

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    try {
      await this.read(abort);
    } catch {
      // Lost: the state says so, and the next attempt is due.
    }
    if (this.stopped || abort !== this.abort) return;
    if (document.hidden) {
      this.state.value = { kind: 'off' };
      return;
    }
    const delay = Math.min(30_000, 1000 * 2 ** this.attempt++) * (0.8 + Math.random() * 0.4);
    this.state.value = { kind: 'lost', retryAt: performance.now() + delay };
    this.timer = window.setTimeout(() => void this.run(), delay);
  }

  private async read(abort: AbortController): Promise<void> {
    const query = queryOf({ ...this.params, last_event_id: this.lastId === '' ? undefined : this.lastId });
    const answer = await fetch(`${base}api/v1/live?${query}`, { cache: 'no-store', signal: abort.signal });
    if (answer.status === 401) sessionEnded.value = true;
    if (!answer.ok || answer.body === null) throw new Error(`the collector answered ${answer.status}`);
    this.attempt = 0;
    this.state.value = { kind: 'open' };
    answeredAt.value = performance.now();
    down.value = null;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let watch = 0;
    try {
      for (;;) {
        clearTimeout(watch);
        watch = window.setTimeout(() => abort.abort(), SILENCE_MS);
        const { done, value } = await reader.read();
        if (done) return;
        const parts = (rest + value).split('\n\n');
        rest = parts.pop() ?? '';
        const events = parts.map((part) => this.parse(part)).filter((event) => event !== null);
        if (events.length > 0) this.take(events);
      }
    } finally {
      clearTimeout(watch);
    }
  }

  private parse(text: string): LiveEvent | null {
    let kind = '';
    let data = '';
    for (const line of text.split('\n')) {
      if (line.startsWith('event: ')) kind = line.slice(7);
      else if (line.startsWith('data: ')) data = line.slice(6);
      else if (line.startsWith('id: ')) this.lastId = line.slice(4);
    }
    return kind === '' ? null : { kind, data: data === '' ? null : JSON.parse(data) };
  }
}
