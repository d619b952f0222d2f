// The settings in effect, where they stand, and what a reload did not take.
import { get } from '../api/client';
import { query as params, setParams } from '../app/router';
import { isUtc, zoneName } from '../app/time';
import { dateTime } from '../ui/format';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { visible } from '../ui/text';
import { AdminTabs } from './tabs';

interface Config {
  file: string | null;
  settings: { name: string; value: string | null; awaits_restart: string | null; is_set: boolean; line?: number; column?: number }[];
  warnings: string[];
  awaits_restart: string[];
  refused_reload: { at_ms: number; faults: string[] } | null;
}

export function AdminConfig() {
  const config = useResource('config', async (abort) => (await get<Config>('api/v1/admin/config', {}, abort)).data);
  const wanted = (params.value.get('find') ?? '').toLowerCase();
  return (
    <>
      <AdminTabs />
      <Loaded of={config} tall>
        {(data) => (
          <>
            {data.refused_reload !== null && (
              <div class="fault" role="alert">
                <p>The files were changed and not taken at {dateTime(data.refused_reload.at_ms, isUtc.value)} {zoneName.value}; what follows is still in effect. The faults:</p>
                <ul>{data.refused_reload.faults.map((fault) => <li key={fault}>{visible(fault)}</li>)}</ul>
              </div>
            )}
            {data.awaits_restart.length > 0 && <p class="notice">Changed, and in effect after the next start: {data.awaits_restart.join(', ')}</p>}
            {data.warnings.map((warning) => <p key={warning} class="notice">{visible(warning)}</p>)}
            <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
              <label class="hidden" for="find">Find settings</label>
              <input id="find" data-search type="search" placeholder="Name or value" value={params.value.get('find') ?? ''} onInput={(event) => setParams({ find: event.currentTarget.value || null })} />
              <span class="soft">{data.file === null ? '' : visible(data.file)}</span>
            </form>
            <div class="scroll" role="region" aria-label="Settings" tabIndex={0}>
              <table>
                <caption class="hidden">Settings in effect</caption>
                <thead><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">From</th></tr></thead>
                <tbody>
                  {data.settings.filter(({ name, value, awaits_restart }) => `${name} ${value ?? ''} ${awaits_restart ?? ''}`.toLowerCase().includes(wanted)).map((setting) => (
                    <tr key={setting.name}>
                      <th scope="row"><code>{setting.name}</code></th><td>{setting.value === null ? '—' : <code>{visible(setting.value)}</code>}{setting.awaits_restart !== null && <small class="warn">after the next start <code>{visible(setting.awaits_restart)}</code></small>}</td>
                      <td>{setting.is_set ? `line ${setting.line}, column ${setting.column}` : <span class="soft">default</span>}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}
