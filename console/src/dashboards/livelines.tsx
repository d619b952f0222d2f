// A list of lines that is live: what there is once, then each line as it comes in; no refresh asks for them again.
import { useSignal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { LiveStream } from '../api/live';
import type { Entry } from '../api/logs';
import { hasNoStream, liveStateText } from '../ui/livestate';

// A browser opens six connections to one origin, and what the page asks needs its share.
const STREAMS_MAX = 2;
let streams = 0;

export interface LiveLines {
  /** Whether the list hears of its lines, or, where there are too many that do, asks again with each refresh. Null before that is decided. */
  isLive: boolean | null;
  state: string;
  /** Newest first, each once. */
  entries: readonly Entry[];
}

/** Lines of a query since the stream was opened. What may have come between the stored lines and the stream, or went by, is asked for. */
export function useLiveLines(query: string | null, limit: number, reload: () => void): LiveLines {
  const entries = useSignal<readonly Entry[]>([]);
  const [stream, setStream] = useState<LiveStream | 'refused' | null>(null);
  useEffect(() => {
    if (query === null || streams >= STREAMS_MAX) {
      setStream(query === null ? null : 'refused');
      return;
    }
    streams++;
    let frame = 0;
    let due: Entry[] = [];
    const flush = () => {
      frame = 0;
      entries.value = newest([...due, ...entries.peek()], limit);
      due = [];
    };
    const live = new LiveStream({ events: 'log', query }, (events) => {
      for (const { kind, data } of events) {
        if (kind === 'log') due.push(data as Entry);
        else if (kind === 'lagged' || kind === 'reset') reload();
      }
      if (due.length > 0 && frame === 0) frame = requestAnimationFrame(flush);
    });
    let wasOpen = false;
    const stopWatching = live.state.subscribe(({ kind }) => {
      if (kind === 'open' && !wasOpen) reload();
      wasOpen = kind === 'open';
    });
    live.start();
    setStream(live);
    return () => {
      streams--;
      cancelAnimationFrame(frame);
      stopWatching();
      live.stop();
      entries.value = [];
      setStream(null);
    };
  }, [query, limit]);
  if (stream === null || stream === 'refused') return { isLive: stream === null ? null : false, state: stream === null ? '' : `not live: ${STREAMS_MAX} lists of this page are`, entries: [] };
  const state = stream.state.value;
  return { isLive: !hasNoStream(state), state: liveStateText(state, performance.now()), entries: entries.value };
}

/** By time, the newest first, each line once. */
export function newest(entries: readonly Entry[], limit: number): Entry[] {
  return [...new Map(entries.map((entry) => [entry.id, entry])).values()].sort((a, b) => b.ts - a.ts).slice(0, limit);
}
