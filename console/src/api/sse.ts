// Server-sent events over fetch: unlike EventSource it sees the comments that keep a stream alive, the status of a refusal, and takes up again
// after one.
import { effect } from '@preact/signals';
import { answeredAt, base, down, queryOf, sessionEnded, type Params } from './client';

/** A stream says something each 15 s. */
const SILENCE_MS = 40_000;

/** It says hello at once; who hears nothing has something in between that gathers. */
const HELLO_MS = 10_000;
const RETRY_MAX_MS = 30_000;

export interface LiveEvent {
  kind: string;
  data: unknown;
}

export type LiveState =
  | { kind: 'off' | 'open' }
  /** Broken off, or refused. */
  | { kind: 'lost'; retryAt: number }
  /** Asked for, and nothing comes through. */
  | { kind: 'held'; retryAt: number }
  /** As many streams as one browser should have are those of other tabs. */
  | { kind: 'waiting' };

export interface Sink {
  state(state: LiveState): void;
  /** Events, the id before them, and the one after them. */
  events(events: LiveEvent[], before: string, after: string): void;
}

/** Reads a stream, and again when it breaks off, until it is told to stop. */
export async function follow(params: Params, lastId: string, sink: Sink, signal: AbortSignal): Promise<void> {
  let id = lastId;
  let attempt = 0;
  while (!signal.aborted) {
    const outcome = await readOnce(params, id, signal, {
      open: () => { attempt = 0; sink.state({ kind: 'open' }); },
      text: (events, after) => {
        if (events.length > 0 || after !== id) sink.events(events, id, after);
        id = after;
      },
    });
    if (signal.aborted) return;
    const delay = Math.min(RETRY_MAX_MS, 1000 * 2 ** attempt++) * (0.8 + Math.random() * 0.4);
    sink.state({ kind: outcome, retryAt: performance.now() + delay });
    await pause(delay, signal);
  }
}

/** Waits; not any longer once one is signed in again, or the collector answers again. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((go) => {
    let [wasEnded, wasDown] = [sessionEnded.peek(), down.peek() !== null];
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      stopWatching();
      go();
    };
    // Without a session there is nothing to ask for.
    const wake = () => { if (!sessionEnded.peek()) done(); };
    const timer = setTimeout(wake, ms);
    const stopWatching = effect(() => {
      const [isEnded, isDown] = [sessionEnded.value, down.value !== null];
      const isBack = (wasEnded && !isEnded) || (wasDown && !isDown && !isEnded);
      [wasEnded, wasDown] = [isEnded, isDown];
      if (isBack) queueMicrotask(done);
    });
    signal.addEventListener('abort', done);
  });
}

interface Hearer {
  open(): void;
  text(events: LiveEvent[], lastId: string): void;
}

async function readOnce(params: Params, lastId: string, signal: AbortSignal, hearer: Hearer): Promise<'lost' | 'held'> {
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal.addEventListener('abort', stop);
  let isHeld = false;
  let watch = setTimeout(() => { isHeld = true; stop(); }, HELLO_MS);
  try {
    const query = queryOf({ ...params, last_event_id: lastId === '' ? undefined : lastId });
    const answer = await fetch(`${base}api/v1/live?${query}`, { cache: 'no-store', signal: abort.signal });
    if (answer.status === 401) sessionEnded.value = true;
    if (!answer.ok || answer.body === null) return 'lost';
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    let id = lastId;
    let isOpen = false;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return 'lost';
      clearTimeout(watch);
      watch = setTimeout(stop, SILENCE_MS);
      if (!isOpen) {
        isOpen = true;
        answeredAt.value = performance.now();
        down.value = null;
        hearer.open();
      }
      const parts = (rest + value).split('\n\n');
      rest = parts.pop() ?? '';
      const events: LiveEvent[] = [];
      for (const part of parts) {
        const read = parse(part);
        if (read.id !== '') id = read.id;
        if (read.event !== null) events.push(read.event);
      }
      hearer.text(events, id);
    }
  } catch {
    return isHeld ? 'held' : 'lost'; // cut off, unreachable, or told to stop
  } finally {
    clearTimeout(watch);
    signal.removeEventListener('abort', stop);
  }
}

function parse(text: string): { event: LiveEvent | null; id: string } {
  let [kind, data, id] = ['', '', ''];
  for (const line of text.split('\n')) {
    if (line.startsWith('event: ')) kind = line.slice(7);
    else if (line.startsWith('data: ')) data = line.slice(6);
    else if (line.startsWith('id: ')) id = line.slice(4);
  }
  return { event: kind === '' ? null : { kind, data: data === '' ? null : JSON.parse(data) }, id };
}
