// Data that a part of a page shows: asked for again when its question or the page's refresh changes, given up when superseded, kept when a refresh fails.
import { signal, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ApiFault, refreshes } from '../api/client';
import { asked } from '../app/time';

export interface Resource<T> {
  /** The last good answer; null before the first. */
  readonly data: Signal<T | null>;
  /** What went wrong at the last attempt; null when it went well. */
  readonly fault: Signal<ApiFault | null>;
  /** Since when an answer is awaited, performance.now(); null when none is. */
  readonly since: Signal<number | null>;
  /** When the last good answer came, performance.now(). */
  readonly at: Signal<number | null>;
  reload(): void;
  cancel(): void;
}

class Loading<T> implements Resource<T> {
  readonly data = signal<T | null>(null);
  readonly fault = signal<ApiFault | null>(null);
  readonly since = signal<number | null>(null);
  readonly at = signal<number | null>(null);
  private abort: AbortController | null = null;
  private ask: ((abort: AbortSignal) => Promise<T>) | null = null;
  private key = '';

  /** Asks; what an earlier question had as its answer goes away once this one's is there. */
  set(key: string, ask: ((abort: AbortSignal) => Promise<T>) | null): void {
    this.ask = ask;
    if (key !== this.key) {
      this.key = key;
      this.fault.value = null;
    }
    this.reload();
  }

  reload(): void {
    const { ask } = this;
    this.cancel();
    if (ask === null) {
      this.data.value = null;
      return;
    }
    const abort = new AbortController();
    this.abort = abort;
    this.since.value = performance.now();
    ask(abort.signal).then(
      (data) => {
        if (abort !== this.abort) return;
        this.data.value = data;
        this.fault.value = null;
        this.at.value = performance.now();
        this.since.value = null;
      },
      (error: unknown) => {
        if (abort !== this.abort) return;
        this.since.value = null;
        this.fault.value = error instanceof ApiFault ? error : new ApiFault(String(error), 0, 'internal');
        // The answer to another question must not pass for the answer to this one.
        if (this.fault.value.status >= 400 && this.fault.value.status < 500 && this.fault.value.status !== 401) this.data.value = null;
      },
    );
  }

  cancel(): void {
    this.abort?.abort(new DOMException('superseded', 'AbortError'));
    this.abort = null;
    this.since.value = null;
  }
}

/** Asks again when the key or the page's refresh changes; a null question asks nothing. */
export function useResource<T>(key: string, ask: ((abort: AbortSignal) => Promise<T>) | null, isStill = false): Resource<T> {
  const loading = useLoading(key, ask, isStill ? asked.value : refreshes.value);
  const turn = refreshes.value;
  useEffect(() => {
    const fault = loading.fault.peek();
    if (isStill && fault !== null && (fault.type === 'unreachable' || fault.status === 401)) loading.reload();
  }, [turn]);
  return loading;
}

/** Asks again when the key changes or a person wants it, and once the collector is back where it could not be reached; a timer's refresh passes it by. */
export function useStillResource<T>(key: string, ask: ((abort: AbortSignal) => Promise<T>) | null): Resource<T> {
  return useResource(key, ask, true);
}

function useLoading<T>(key: string, ask: ((abort: AbortSignal) => Promise<T>) | null, turn: number): Resource<T> {
  const loading = useMemo(() => new Loading<T>(), []);
  useEffect(() => {
    loading.set(key, ask);
  }, [key, turn]);
  useEffect(() => () => loading.cancel(), []);
  return loading;
}
