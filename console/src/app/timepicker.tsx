// The time range, the zone and the refresh of the page.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { copy } from '../ui/copy';
import { age, dateTime } from '../ui/format';
import { setParams } from './router';
import { from, isRelative, isUtc, label, parseTime, range, RANGES, refresh, REFRESHES, refreshMs, refreshNow, setRange, setZone, shift, to, zoneName, zoomOut } from './time';

function copyLink(fixed: boolean) {
  const link = new URL(location.href);
  if (fixed) {
    const { start, end } = range.peek();
    link.searchParams.set('from', String(start));
    link.searchParams.set('to', String(end));
  }
  copy(link.href);
}

export function TimePicker() {
  const open = useSignal(false);
  const fault = useSignal('');
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  function close() {
    open.value = false;
    button.current?.focus();
  }

  useEffect(() => {
    if (!open.value) return;
    box.current?.querySelector<HTMLElement>('.sheet button')?.focus();
    const onDown = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener('pointerdown', onDown);
    return () => document.removeEventListener('pointerdown', onDown);
  }, [open.value]);

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const [start, end] = [String(form.get('from')), String(form.get('to'))];
    const [startMs, endMs] = [parseTime(start, Date.now()), parseTime(end, Date.now())];
    if (startMs === null || endMs === null) {
      fault.value = `${startMs === null ? start : end} is no time: give now-2d, 2026-01-31T14:00, or Unix seconds or milliseconds.`;
    } else if (endMs <= startMs) {
      fault.value = 'The end must come after the start.';
    } else {
      fault.value = '';
      setRange(start.startsWith('now') ? start : startMs, end.startsWith('now') ? end : endMs);
      close();
    }
  }

  const { start, end } = range.value;
  const [first, last] = [dateTime(start, isUtc.value), dateTime(end, isUtc.value)];
  const every = refreshMs(refresh.value);
  const isOneDay = first.slice(0, 10) === last.slice(0, 10);
  const text = label.value ?? `${first} to ${to.value === 'now' ? 'now' : isOneDay ? last.slice(11) : last}`;
  return (
    <div class="picker" ref={box} onKeyDown={(event) => event.key === 'Escape' && open.value && close()}>
      <button type="button" class="plain icon" aria-label="Earlier by half the range" onClick={() => shift(-0.5)}>‹</button>
      <button type="button" class="plain" id="time" ref={button} aria-expanded={open.value} aria-haspopup="dialog"
        onClick={() => { open.value = !open.value; }}>
        {text} <span class="soft">{zoneName}</span>
      </button>
      <button type="button" class="plain icon" aria-label="Later by half the range" onClick={() => shift(0.5)}>›</button>
      <button type="button" class="plain icon" aria-label="Zoom out" onClick={zoomOut}>−</button>
      {isRelative.value
        ? <button type="button" class="plain icon" id="refresh" aria-label="Refresh now" onClick={refreshNow}>⟳</button>
        : <button type="button" class="plain" onClick={() => setRange('now-1h', 'now')}>Back to live</button>}
      {open.value && (
        <div class="sheet" role="dialog" aria-label="Time range">
          <ul class="ranges">
            {RANGES.map(([name, title]) => (
              <li key={name}>
                <button type="button" class="plain" aria-pressed={from.value === name && to.value === 'now'} onClick={() => { setRange(name, 'now'); close(); }}>{title}</button>
              </li>
            ))}
          </ul>
          <form onSubmit={submit} noValidate>
            <label for="from">From</label>
            <input id="from" name="from" defaultValue={from.value} aria-describedby="time-fault" />
            <label for="to">To</label>
            <input id="to" name="to" defaultValue={to.value} aria-describedby="time-fault" />
            <p id="time-fault" class="fault" role="alert">{fault}</p>
            <button type="submit">Apply</button>
            <label for="refresh-every">Refresh</label>
            <select id="refresh-every" value={refresh.value} onChange={(event) => setParams({ refresh: event.currentTarget.value })}>
              {!REFRESHES.some(([name]) => name === refresh.value) && <option value={refresh.value}>{every === null ? 'Paused' : `Every ${age(every)}`}</option>}
              {REFRESHES.map(([name, title]) => <option key={name} value={name}>{title}</option>)}
            </select>
            <label for="zone">Time zone</label>
            <select id="zone" value={isUtc.value ? 'utc' : 'browser'} onChange={(event) => setZone(event.currentTarget.value === 'utc' ? 'utc' : 'browser')}>
              <option value="browser">This browser's</option>
              <option value="utc">UTC</option>
            </select>
            <button type="button" class="plain" onClick={() => { copyLink(false); close(); }}>Copy link</button>
            <button type="button" class="plain" onClick={() => { copyLink(true); close(); }}>Copy link with these times fixed</button>
          </form>
        </div>
      )}
    </div>
  );
}
