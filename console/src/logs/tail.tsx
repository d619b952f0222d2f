// Lines as they come in, newest first; stands still while one reads further down.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { LiveStream } from '../api/live';
import { logs, MORE_LINES } from '../api/logs';
import { count } from '../ui/format';
import { hasNoStream, liveStateText } from '../ui/livestate';
import { useClock } from '../ui/states';
import { Lines, type LogViewProps } from './lines';
import { rowsOf } from './list';
import { LiveTail, TAIL_MAX } from './livetail';

const RATE_MS = 2000;

/** Without a stream lines are asked for this often. */
const ASK_MS = 5000;

export function Tail({ query, filter, showHost }: Pick<LogViewProps, 'query' | 'filter' | 'showHost'>) {
  const rate = useSignal(0);
  const { stream, tail, gone } = useMemo(() => {
    const leaving = new AbortController();
    const made = new LiveTail(
      async (start, cursor) => (await logs({ query, start, end: undefined, direction: 'backward' }, cursor, leaving.signal, MORE_LINES)).data,
      (flush) => requestAnimationFrame(flush),
    );
    return { gone: leaving, tail: made, stream: new LiveStream({ events: 'log', query }, (events) => made.take(events)) };
  }, [query]);
  useEffect(() => {
    stream.start();
    let seen = 0;
    const timer = setInterval(() => {
      rate.value = (tail.heard.peek() - seen) / (RATE_MS / 1000);
      seen = tail.heard.peek();
    }, RATE_MS);
    return () => { stream.stop(); gone.abort(); clearInterval(timer); };
  }, [stream]);
  const state = stream.state.value;
  const isAsking = hasNoStream(state);
  useEffect(() => {
    if (!isAsking) return;
    const ask = () => void tail.fill(false);
    ask();
    const timer = setInterval(ask, ASK_MS);
    return () => {
      clearInterval(timer);
      if (stream.state.peek().kind === 'open') ask(); // for what came before it
    };
  }, [isAsking]);

  const list = useMemo(() => rowsOf(tail.rows.value), [tail.rows.value]);
  const waiting = tail.waiting.value.length;
  const isPaused = tail.paused.value;
  return (
    <div onKeyDown={(event) => { if (event.key === ' ' && (event.target as Element).matches('.lines')) { event.preventDefault(); tail.pause(!isPaused); } }}>
      <p class="soft">
        <LiveMark state={state} />
        {' '}{count(rate.value)} lines/s, {count(tail.heard.value)} so far{' '}
        <button type="button" class="plain small" aria-pressed={isPaused} onClick={() => tail.pause(!isPaused)}>{isPaused ? 'Resume' : 'Pause'}</button>
        {waiting > 0 && <button type="button" class="plain small" onClick={() => tail.pause(false)}>↓ {count(waiting)} new</button>}
      </p>
      {list.length === 0 ? <p class="empty">Nothing yet: lines appear as they come in.</p>
        : <Lines rows={list} find={(id) => tail.find(id)} query={query} filter={filter} showHost={showHost} onTop={(isTop) => { if (!isTop && !tail.paused.peek()) tail.pause(true); }} isLive />}
      {Object.entries(tail.unseen.value).map(([of, missed]) => <p key={of} class="warn">{count(missed)} {of} went by unseen: this is a sample of what comes in.</p>)}
      {tail.skipped.value > 0 && <p class="soft">The newest {count(TAIL_MAX)} lines are kept; {count(tail.skipped.value)} older ones are no longer here.</p>}
    </div>
  );
}

function LiveMark({ state }: { state: Parameters<typeof liveStateText>[0] }) {
  const at = useClock();
  return <span class={state.kind === 'open' ? 'state up' : 'state late'}>{liveStateText(state, at)}</span>;
}
