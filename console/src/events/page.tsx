// What agents report of their hosts and of themselves: the lines of the input "events".
import { quoted } from '../api/prom';
import { query as params, setParams } from '../app/router';
import { withFilter } from '../logs/query';
import { LogView } from '../logs/view';

const TYPES = [
  'agent_start', 'agent_stop', 'settings_reloaded', 'settings_refused', 'clock_step', 'queue_dropped', 'batch_rejected', 'collect_dropped', 'input_lost', 'input_failed',
  'events_dropped', 'process_start', 'process_exit', 'process_summary', 'file_created', 'file_modified', 'file_deleted', 'file_moved', 'file_attributes',
  'watch_summary', 'watch_failed', 'watch_resumed', 'watch_overflow',
];

const BASE = '{input="events"}';

export function Events() {
  const type = params.value.get('type') ?? '';
  const host = params.value.get('host') ?? '';
  const filters = params.value.get('q') ?? '';
  const query = `{input="events"${host === '' ? '' : `, instance=${quoted(host)}`}}${type === '' ? '' : ` | event=${quoted(type)}`}${filters === '' ? '' : ' ' + filters}`;
  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="hidden" for="type">Type</label>
        <select id="type" value={type} onChange={(event) => setParams({ type: event.currentTarget.value || null }, 'push')}>
          <option value="">any type</option>
          {TYPES.map((each) => <option key={each} value={each}>{each}</option>)}
        </select>
        <label class="hidden" for="host">Host</label>
        <input id="host" data-search type="search" placeholder="Host" value={host} onChange={(event) => setParams({ host: event.currentTarget.value.trim() || null }, 'push')} />
        {filters !== '' && <button type="button" class="plain" onClick={() => setParams({ q: null }, 'push')}><code>{filters}</code> ✕<span class="hidden"> remove</span></button>}
      </form>
      <LogView query={query} showHost empty="No event in this time range. Agents tell of process starts, file changes and the like where [events] of agent.toml is on."
        filter={(name, value, keep) => {
          if (name === 'instance' && keep) setParams({ host: value }, 'push');
          else {
            const next = withFilter(`${BASE} ${filters}`.trim(), name, value, keep);
            if (next !== null) setParams({ q: next.slice(BASE.length).trim() }, 'push');
          }
        }} />
    </>
  );
}
