// How far the object store is behind.
import { get } from '../api/client';
import { isUtc, zoneName } from '../app/time';
import { age, bytes, count, dateTime } from '../ui/format';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { visible } from '../ui/text';
import { AdminTabs } from './tabs';

interface Landing {
  now_ms: number;
  state: 'off' | 'ok' | 'failing' | 'halted';
  store?: string;
  reason?: string | null;
  pending_bytes?: number;
  oldest_waiting_ms?: number | null;
  last_landed_ms?: number | null;
  objects?: number;
  object_bytes?: number;
  log_files?: number;
  log_files_waiting?: number;
}

const STATES: Record<Landing['state'], { icon: string; word: string; class: string }> = {
  off: { icon: '○', word: 'off', class: 'soft' },
  ok: { icon: '●', word: 'landing', class: 'state up' },
  failing: { icon: '▲', word: 'failing, tried again by itself', class: 'warn' },
  halted: { icon: '■', word: 'halted: a person must look', class: 'crit' },
};

export function AdminLanding() {
  const landing = useResource('landing', async (abort) => (await get<Landing>('api/v1/landing', {}, abort)).data);
  return (
    <>
      <AdminTabs />
      <Loaded of={landing} tall>
        {(data) => {
          const state = STATES[data.state];
          if (data.state === 'off') return <p class="empty">There is no <code>[object_store]</code> in server.toml: everything is on this collector's disk alone.</p>;
          const since = (time: number | null | undefined) => (time === null || time === undefined ? '—' : `${age(data.now_ms - time)} ago, ${dateTime(time, isUtc.value)} ${zoneName.value}`);
          return (
            <>
              <p><span class={state.class}>{state.icon} {state.word}</span> · {visible(data.store ?? '')}</p>
              {data.reason && <p class="fault">{visible(data.reason)}</p>}
              <table class="fields">
                <tbody>
                  <tr><th scope="row">Waits to land</th><td>{bytes(data.pending_bytes ?? 0)}</td></tr>
                  <tr><th scope="row">Oldest that waits</th><td>{since(data.oldest_waiting_ms)}</td></tr>
                  <tr><th scope="row">Last landed</th><td>{since(data.last_landed_ms)}</td></tr>
                  <tr><th scope="row">Objects since the start</th><td>{count(data.objects)}, {bytes(data.object_bytes ?? 0)}</td></tr>
                  <tr><th scope="row">Log files since the start</th><td>{count(data.log_files)}</td></tr>
                  <tr><th scope="row">Log files that wait</th><td>{count(data.log_files_waiting)}</td></tr>
                </tbody>
              </table>
            </>
          );
        }}
      </Loaded>
    </>
  );
}
