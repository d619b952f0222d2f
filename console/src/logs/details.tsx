// All that is known of one line.
import { useState } from 'preact/hooks';
import { context, type Entry } from '../api/logs';
import { type Labels, quoted } from '../api/prom';
import { isUtc, zoneName } from '../app/time';
import { copy } from '../ui/copy';
import { dateTime, timeOfDay } from '../ui/format';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { visible } from '../ui/text';
import { LogList, type Row, rowsOf } from './list';
import { selectorOf } from './query';
import { WholeLine } from './whole';

export function Details({ entry, query, filter, close }: { entry: Entry; query: string; filter: (name: string, value: string, keep: boolean) => void; close: () => void }) {
  const [around, setAround] = useState(false);
  const groups: [string, Labels][] = [['Stream', entry.stream], ['Attributes', entry.attrs], ['From the query', entry.labels]];
  return (
    <section class="details" aria-label="Line details">
      <div class="panel-head">
        <h2>{dateTime(entry.ts, isUtc.value)}{timeOfDay(entry.ts, isUtc.value).slice(8)} {zoneName.value}</h2>
        <span class="panel-menu">
          <button type="button" class="plain small" aria-expanded={around} onClick={() => setAround(!around)}>Context</button>
          <button type="button" class="plain small" onClick={() => copy(entry.line)}>Copy text</button>
          <button type="button" class="plain small" onClick={() => copy(JSON.stringify(entry))}>Copy JSON</button>
          <button type="button" class="plain small" onClick={close}>Close</button>
        </span>
      </div>
      <WholeLine line={entry.line} />
      {groups.map(([title, labels]) => Object.keys(labels).length > 0 && (
        <table key={title} class="fields">
          <caption>{title}</caption>
          <tbody>
            {Object.entries(labels).map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{visible(name)}</th>
                <td>{visible(value)}</td>
                <td class="filter-buttons">
                  <button type="button" class="plain small" aria-label={visible(`Filter for ${name} ${value}`)} onClick={() => filter(name, value, true)}>+</button>
                  <button type="button" class="plain small" aria-label={visible(`Filter out ${name} ${value}`)} onClick={() => filter(name, value, false)}>−</button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ))}
      {around && <Around entry={entry} query={query} />}
    </section>
  );
}

/** The lines around one, of the same host and input: the query's filters are off. */
function Around({ entry, query }: { entry: Entry; query: string }) {
  const { instance, input } = entry.stream;
  const selector = instance === undefined ? selectorOf(query) : `{instance=${quoted(instance)}${input === undefined ? '' : `, input=${quoted(input)}`}}`;
  const found = useResource(entry.id, async (abort) => (await context(entry.id, selector, abort)).data);
  return (
    <Loaded of={found}>
      {({ before, after }) => {
        const rows: Row[] = [...after].sort((a, b) => b.ts - a.ts).concat(entry, [...before].sort((a, b) => b.ts - a.ts));
        return <div class="around"><LogList rows={rowsOf(rows)} showHost={false} selected={entry.id} select={() => undefined} label={visible(`Lines around this one, ${selector}`)} /></div>;
      }}
    </Loaded>
  );
}
