// Loading, empty and failed: the same on every page and panel.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ApiFault } from '../api/client';
import type { Resource } from './resource';
import { visible } from './text';

/** Re-renders every second. */
export function useClock(everyMs = 1000): number {
  const [at, set] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => set(performance.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return at;
}

/** A grey block of the final size; after three seconds how long it takes, and a way out. */
export function Loading({ since, cancel, tall }: { since: number | null; cancel?: () => void; tall?: boolean }) {
  const at = useClock(500);
  if (since === null) return null;
  const waited = at - since;
  return (
    <div class={tall ? 'skeleton tall' : 'skeleton'} role="status" aria-label="Loading">
      {waited > 3000 && (
        <p>
          Loading for {Math.round(waited / 1000)} s. {cancel && <button type="button" class="plain" onClick={cancel}>Cancel</button>}
        </p>
      )}
    </div>
  );
}

/** Over data that is asked for again: a thin line, and a way out when it takes long. */
function Busy({ since, cancel }: { since: number; cancel: () => void }) {
  const waited = useClock(500) - since;
  return (
    <div class="busy">
      {waited > 3000 && <p class="soft" role="status">Asking for {Math.round(waited / 1000)} s. <button type="button" class="plain small" onClick={cancel}>Cancel</button></p>}
    </div>
  );
}

export function Fault({ fault, retry }: { fault: ApiFault; retry: () => void }) {
  return (
    <div class="fault" role="alert">
      <p>{fault.type !== '' && fault.type !== 'unreachable' ? `${fault.type}: ` : ''}{visible(fault.message)}</p>
      <button type="button" class="plain" onClick={retry}>Retry</button>
    </div>
  );
}

export function Notes({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return (
    <details class="notes">
      <summary>{lines.length} {title}{lines.length === 1 ? '' : 's'}</summary>
      <ul>{lines.map((line) => <li key={line}>{visible(line)}</li>)}</ul>
    </details>
  );
}

/** What a resource has, or why it has nothing. */
export function Loaded<T>({ of, children, tall }: { of: Resource<T>; children: (data: T) => ComponentChildren; tall?: boolean }) {
  const data = of.data.value;
  const fault = of.fault.value;
  const since = of.since.value;
  return (
    <>
      {fault !== null && fault.status !== 401 && (fault.type !== 'unreachable' || data === null) && <Fault fault={fault} retry={() => of.reload()} />}
      {data !== null && since !== null && <Busy since={since} cancel={() => of.cancel()} />}
      {data !== null ? children(data) : <Loading since={since} cancel={() => of.cancel()} tall={tall} />}
    </>
  );
}
