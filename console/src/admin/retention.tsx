// How long data stay here, and what they take.
import { get } from '../api/client';
import { bytes } from '../ui/format';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { AdminTabs } from './tabs';

interface Retention {
  local_retention_days?: number;
  backfill_days?: number;
  max_local_bytes?: number;
  max_spool_bytes?: number;
  forecast_bytes?: number | null;
  stores: { name: string; holds: string; bytes: number }[];
}

export function AdminRetention() {
  const retention = useResource('retention', async (abort) => (await get<Retention>('api/v1/admin/retention', {}, abort)).data);
  return (
    <>
      <AdminTabs />
      <Loaded of={retention} tall>
        {(data) => (
          <>
            <div class="scroll" role="region" aria-label="Stores" tabIndex={0}>
              <table>
                <caption class="hidden">What the local disk holds</caption>
                <thead><tr><th scope="col">Store</th><th scope="col">Holds</th><th scope="col" class="number">Bytes</th></tr></thead>
                <tbody>{data.stores.map((store) => <tr key={store.name}><th scope="row">{store.name}</th><td>{store.holds}</td><td class="number" title={String(store.bytes)}>{bytes(store.bytes)}</td></tr>)}</tbody>
              </table>
            </div>
            {data.local_retention_days !== undefined && (
              <table class="fields">
                <tbody>
                  <tr><th scope="row">Blocks and log files stay</th><td>{data.local_retention_days} days</td></tr>
                  <tr><th scope="row">Samples and lines are taken up to</th><td>{data.backfill_days} days old</td></tr>
                  <tr><th scope="row">Blocks and log files may take</th><td>{bytes(data.max_local_bytes ?? 0)}; beyond it the oldest go</td></tr>
                  <tr><th scope="row">The spool may take</th><td>{bytes(data.max_spool_bytes ?? 0)}; beyond it agents keep their batches</td></tr>
                  <tr>
                    <th scope="row">Blocks and log files will take</th>
                    <td>{data.forecast_bytes === null || data.forecast_bytes === undefined ? 'not known before there are data of six hours' : `about ${bytes(data.forecast_bytes)} at today's rate`}
                      {(data.forecast_bytes ?? 0) > (data.max_local_bytes ?? Infinity) && <span class="warn"> ▲ more than they may: the oldest will go before their time</span>}</td>
                  </tr>
                </tbody>
              </table>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}
