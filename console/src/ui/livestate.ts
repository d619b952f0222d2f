// What a person reads of a live stream.
import type { LiveState } from '../api/live';

/** In a word or a sentence; `at` is performance.now(). */
export function liveStateText(state: LiveState, at: number): string {
  switch (state.kind) {
    case 'open': return '● live';
    case 'lost': return `▲ stream lost, reconnecting (${Math.max(0, Math.ceil((state.retryAt - at) / 1000))} s)`;
    case 'held': return '▲ not live: nothing of the stream comes through, something on the way may hold it back; asking again and again instead';
    case 'waiting': return '▲ not live: other tabs of this browser have all the streams it may have; asking again and again instead';
    default: return 'connecting';
  }
}

/** Whether there is no stream, and will be none soon. */
export function hasNoStream({ kind }: LiveState): boolean {
  return kind === 'held' || kind === 'waiting';
}
