// One live stream for all tabs of a browser that ask for the same: one of them reads it and tells the others. Browsers open six connections to one origin,
// so all tabs together take three for streams at most; who gets none says so, and has one as soon as another tab lets go.
import { signal, type Signal } from '@preact/signals';
import { base, queryOf, type Params } from './client';
import { follow, type LiveEvent, type LiveState } from './sse';

export type { LiveEvent, LiveState } from './sse';

const HIDDEN_MS = 30_000;
const STREAMS_MAX = 3;

/** The tab that reads says so each quarter of a minute; one that hangs is passed over. */
const STILL_MS = 15_000;
const HUNG_MS = 50_000;

type Message =
  /** Who listens, to whoever reads; and the question for it, of one that begins to read. */
  | { kind: 'hello' }
  | { kind: 'who' }
  | { kind: 'state'; state: LiveState['kind']; retryIn: number; lastId: string }
  | { kind: 'events'; events: LiveEvent[]; before: string; after: string };

/** One stream that is kept open until it is stopped, or heard of from another tab. */
export class LiveStream {
  readonly state: Signal<LiveState> = signal<LiveState>({ kind: 'off' });
  private readonly name: string;
  private lastId = '';
  /** Told to stop, by whoever joined last. */
  private abort: AbortController | null = null;
  private channel: BroadcastChannel | null = null;
  private isLeading = false;
  /** Whether another tab listens to this one. */
  private hasFollowers = false;
  private hidden: ReturnType<typeof setTimeout> | undefined;
  private hung: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly params: Params, private readonly take: (events: LiveEvent[]) => void) {
    this.name = `lm-live ${base} ${queryOf(params)}`;
  }

  start(): void {
    document.addEventListener('visibilitychange', this.onVisibility);
    this.join();
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    clearTimeout(this.hidden);
    this.leave();
  }

  private readonly onVisibility = () => {
    clearTimeout(this.hidden);
    if (document.hidden) this.hidden = setTimeout(() => this.leave(), HIDDEN_MS);
    else if (this.abort === null) this.join();
  };

  private leave(): void {
    this.abort?.abort();
    this.abort = null;
    this.channel?.close();
    this.channel = null;
    clearTimeout(this.hung);
    this.isLeading = this.hasFollowers = false;
    this.state.value = { kind: 'off' };
  }

  private join(steal = false): void {
    const abort = new AbortController();
    this.abort = abort;
    const locks = globalThis.navigator?.locks;
    // Plain HTTP beyond loopback has no locks: each tab has a stream of its own there.
    if (locks === undefined || typeof BroadcastChannel === 'undefined') {
      void this.read(abort.signal);
      return;
    }
    this.channel = new BroadcastChannel(this.name);
    this.channel.onmessage = ({ data }: MessageEvent<Message>) => this.hear(data);
    this.say({ kind: 'hello' });
    this.watch();
    locks.request(this.name, steal ? { steal } : { signal: abort.signal }, () => this.lead(abort.signal)).catch(() => {
      // Another tab took it for hung: that one reads now. Or this one was told to stop.
      if (abort !== this.abort) return;
      this.leave();
      this.join();
    });
  }

  private async lead(stopped: AbortSignal): Promise<void> {
    if (stopped.aborted) return;
    this.isLeading = true;
    clearTimeout(this.hung);
    this.say({ kind: 'who' });
    const timer = setInterval(() => this.sayState(), STILL_MS);
    try {
      await oneOfFew(stopped, () => this.become({ kind: 'waiting' }), () => this.read(stopped));
    } finally {
      clearInterval(timer);
    }
  }

  private read(stopped: AbortSignal): Promise<void> {
    return follow(this.params, this.lastId, {
      state: (state) => this.become(state),
      events: (events, before, after) => {
        if (this.hasFollowers) this.say({ kind: 'events', events, before, after });
        this.lastId = after;
        if (events.length > 0) this.take(events);
      },
    }, stopped);
  }

  private become(state: LiveState): void {
    this.state.value = state;
    this.sayState();
  }

  private hear(message: Message): void {
    if (this.isLeading) {
      if (message.kind === 'hello') {
        this.hasFollowers = true;
        this.sayState();
      }
      return;
    }
    if (message.kind === 'hello') return;
    this.watch();
    if (message.kind === 'who') {
      this.say({ kind: 'hello' });
      return;
    }
    const before = message.kind === 'events' ? message.before : message.lastId;
    // What was told between is gone for this tab: whoever listens here asks for it.
    const events: LiveEvent[] = this.lastId !== '' && before !== '' && before !== this.lastId ? [{ kind: 'reset', data: null }] : [];
    if (message.kind === 'events') {
      this.lastId = message.after;
      events.push(...message.events);
    } else {
      if (message.lastId !== '') this.lastId = message.lastId;
      this.state.value = message.state === 'lost' || message.state === 'held' ? { kind: message.state, retryAt: performance.now() + message.retryIn } : { kind: message.state };
    }
    if (events.length > 0) this.take(events);
  }

  private watch(): void {
    clearTimeout(this.hung);
    if (this.isLeading) return;
    this.hung = setTimeout(() => { this.leave(); this.join(true); }, HUNG_MS);
  }

  private sayState(): void {
    if (!this.hasFollowers) return;
    const state = this.state.peek();
    this.say({ kind: 'state', state: state.kind, retryIn: 'retryAt' in state ? state.retryAt - performance.now() : 0, lastId: this.lastId });
  }

  private say(message: Message): void {
    this.channel?.postMessage(message);
  }
}

/** Runs while it holds one of the streams that all tabs together may have. */
async function oneOfFew(stopped: AbortSignal, wait: () => void, run: () => Promise<void>): Promise<void> {
  const { locks } = navigator;
  const names = Array.from({ length: STREAMS_MAX }, (_, number) => `lm-stream ${base} ${number}`);
  for (const name of names) {
    const hasRun = await locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await run();
      return lock !== null;
    });
    if (hasRun || stopped.aborted) return;
  }
  wait();
  // Whichever comes free first; the others are not wanted any more then.
  const chosen = new AbortController();
  const giveUp = () => chosen.abort();
  stopped.addEventListener('abort', giveUp);
  await Promise.all(names.map(async (name) => {
    try {
      await locks.request(name, { signal: chosen.signal }, async () => {
        if (chosen.signal.aborted) return;
        chosen.abort();
        await run();
      });
    } catch {
      // Not wanted any more.
    }
  }));
  stopped.removeEventListener('abort', giveUp);
}
