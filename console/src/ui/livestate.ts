// What a person reads of a live stream.
import type { LiveState } from '../api/live';

/** In a word or a sentence; `at` is performance.now(). */
export function liveStateText(state: LiveState, at: number): string {
  switch (state.kind) {
    case 'open': return '● live';
    case 'lost': return `▲ stream lost, reconnecting (${Math.max(0, Math.ceil((state.retryAt - at) / 1000))} s)`;
    case 'held': return '▲ not live: something on the way holds the stream back; asking again and again';
    case 'waiting': return '▲ not live: other tabs have this browser\'s streams; asking again and again';
    default: return 'connecting';
  }
}

/** Whether there is no stream, and will be none soon. */
export function hasNoStream({ kind }: LiveState): boolean {
  return kind === 'held' || kind === 'waiting';
}
