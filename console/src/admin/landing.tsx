// How far the object store is behind, or the log that collectors share in it.
import type { ComponentChildren } from 'preact';
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
  blocks?: number;
  block_bytes?: number;
  blocks_waiting?: number;
  objects_covered?: number;
  shared_log?: SharedLog;
}

/** The log that collectors share; its places are commits' numbers, counted from 1. */
interface SharedLog {
  last: number;
  last_ms: number | null;
  applied: number;
  covered: number;
  filed: number;
  published: number;
  parts: number;
  builder: string;
  /** First and last commit of each stretch. */
  missing: [number, number][];
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
              {data.shared_log !== undefined ? <Shared log={data.shared_log} waiting={data.pending_bytes ?? 0} since={since} /> : <Fields rows={[
                ['Waits to land', bytes(data.pending_bytes ?? 0)],
                ['Oldest that waits', since(data.oldest_waiting_ms)],
                ['Last landed', since(data.last_landed_ms)],
                ['Raw objects since the start', `${count(data.objects)}, ${bytes(data.object_bytes ?? 0)}`],
                ['Raw objects deleted', `${count(data.objects_covered)}: what they held is in blocks and log files`],
                ['Blocks since the start', `${count(data.blocks)}, ${bytes(data.block_bytes ?? 0)}; ${count(data.blocks_waiting)} wait`],
                ['Log files since the start', `${count(data.log_files)}; ${count(data.log_files_waiting)} wait`],
              ]} />}
            </>
          );
        }}
      </Loaded>
    </>
  );
}

function Fields({ rows }: { rows: [string, ComponentChildren][] }) {
  return <table class="fields"><tbody>{rows.map(([name, value]) => <tr key={name}><th scope="row">{name}</th><td>{value}</td></tr>)}</tbody></table>;
}

/** Commits go from the log into blocks and log files by four steps; how far each is, and by how many commits behind the log's end. */
function Shared({ log, waiting, since }: { log: SharedLog; waiting: number; since: (time: number | null) => string }) {
  const steps: [string, string, number][] = [
    ['Copied', 'on the disk of this collector', log.applied],
    ['Gathered', `in ${count(log.parts)} object${log.parts === 1 ? '' : 's'} of many commits; ${bytes(waiting)} are not yet`, log.covered],
    ['Filed', 'in blocks and log files that count', log.filed],
    ['Published', 'in blocks and log files where readers find them, read back there', log.published],
  ];
  return (
    <>
      <Fields rows={[
        ['Last commit', log.last === 0 ? 'none yet' : `${count(log.last)}, ${since(log.last_ms)}`],
        ['Collector that built last', log.builder === '' ? 'none yet' : visible(log.builder)],
        ['Not on this disk', log.missing.length === 0 ? 'nothing' : <>{log.missing.map(([first, last]) => (first === last ? `commit ${count(first)}` : `commits ${count(first)} to ${count(last)}`)).join(', ')}: queries find them in the store</>],
      ]} />
      <div class="scroll" role="region" aria-label="Commits" tabIndex={0}>
        <table>
          <caption class="hidden">How far commits are</caption>
          <thead><tr><th scope="col">Commits are</th><th scope="col">up to</th><th scope="col" class="number">behind</th><th scope="col">where</th></tr></thead>
          <tbody>{steps.map(([name, where, at]) => <tr key={name}><th scope="row">{name}</th><td class="number">{count(at)}</td><td class="number">{count(log.last - at)}</td><td>{where}</td></tr>)}</tbody>
        </table>
      </div>
    </>
  );
}
