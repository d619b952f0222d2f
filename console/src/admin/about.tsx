// Which program this is, and what it holds.
import { get } from '../api/client';
import { count } from '../ui/format';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { AdminTabs } from './tabs';

interface Build {
  version: string;
  [name: string]: string;
}

interface Tsdb {
  headStats: { numSeries: number; numLabelPairs: number };
  seriesCountByMetricName: { name: string; value: number }[];
  labelValueCountByLabelName: { name: string; value: number }[];
}

// What the console's files hold of others' work; their licences ask to be named.
const PARTS = [
  ['Preact and @preact/signals', 'MIT'], ['uPlot', 'MIT'], ['CodeMirror and Lezer', 'MIT'], ['@prometheus-io/codemirror-promql and lezer-promql', 'Apache-2.0'], ['lru-cache', 'ISC'],
] as const;

export function About() {
  const build = useResource('build', async (abort) => (await get<Build>('api/v1/status/buildinfo', {}, abort)).data);
  const tsdb = useResource('tsdb', async (abort) => (await get<Tsdb>('api/v1/status/tsdb', { limit: 15 }, abort)).data);
  return (
    <>
      <AdminTabs />
      <Loaded of={build}>{(data) => <p>Lightmetrics collector <b>{data.version}</b></p>}</Loaded>
      <Loaded of={tsdb} tall>
        {(data) => (
          <>
            <p>{count(data.headStats.numSeries)} series.</p>
            <div class="panels">
              <Counts title="Series by metric" rows={data.seriesCountByMetricName} />
              <Counts title="Values by label" rows={data.labelValueCountByLabelName} />
            </div>
          </>
        )}
      </Loaded>
      <section class="card">
        <h2>Parts of the console by others</h2>
        <ul>{PARTS.map(([name, licence]) => <li key={name}>{name}: {licence}</li>)}</ul>
      </section>
    </>
  );
}

function Counts({ title, rows }: { title: string; rows: { name: string; value: number }[] }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      {rows.length === 0 ? <p class="soft">None yet.</p>
        : <table class="fields"><tbody>{rows.map((row) => <tr key={row.name}><th scope="row">{row.name}</th><td class="number">{count(row.value)}</td></tr>)}</tbody></table>}
    </section>
  );
}
