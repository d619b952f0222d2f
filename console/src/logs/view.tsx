// Lines that a query finds, stored ones and, while live, those that come in.
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { download, type Entry, fields, logs, type LogsAsk, MORE_LINES } from '../api/logs';
import { ApiFault } from '../api/client';
import { query as params, setParams } from '../app/router';
import { asked, from, isRelative, range, to } from '../app/time';
import { csv, save } from '../ui/csv';
import { count } from '../ui/format';
import { useStillResource } from '../ui/resource';
import { Fault, Loaded, Notes } from '../ui/states';
import { visible } from '../ui/text';
import { Lines, type LogViewProps } from './lines';
import { LINES_MAX, LineStore } from './store';
import { Tail } from './tail';
import { Volume } from './volume';

const DOWNLOAD_MAX = 100_000;

export function LogView({ query, filter, showHost, empty }: LogViewProps) {
  const isLive = params.value.get('live') === '1';
  const direction = params.value.get('dir') === 'forward' ? 'forward' : 'backward';
  // Stands still until a person refreshes: a list that began anew every ten seconds could not be read.
  const still = useMemo(() => range.peek(), [from.value, to.value, asked.value]);
  const ask: LogsAsk = { query, start: still.start, end: isRelative.value && !isLive ? undefined : still.end, direction };
  const isVolume = params.value.get('vol') !== 'off';
  const isWrap = params.value.get('wrap') === '1';
  const isFields = params.value.get('fields') === '1';
  return (
    <>
      <div class="filters">
        <button type="button" class="plain" aria-pressed={isLive} onClick={() => setParams({ live: isLive ? null : '1' }, 'push')}>{isLive ? '■ Stop live' : '▶ Live'}</button>
        <button type="button" class="plain" disabled={isLive} onClick={() => setParams({ dir: direction === 'forward' ? null : 'forward' })}>{direction === 'forward' ? 'Oldest first' : 'Newest first'}</button>
        <button type="button" class="plain" aria-pressed={isVolume} onClick={() => setParams({ vol: isVolume ? 'off' : null })}>Volume</button>
        <button type="button" class="plain" aria-pressed={isFields} onClick={() => setParams({ fields: isFields ? null : '1' })}>Fields</button>
        <button type="button" class="plain" aria-pressed={isWrap} onClick={() => setParams({ wrap: isWrap ? null : '1' })}>Wrap</button>
      </div>
      {isVolume && <Volume query={query} range={still} />}
      <div class={isFields ? 'with-fields' : undefined}>
        {isFields && <Fields ask={ask} filter={filter} />}
        <div class="grow">{isLive ? <Tail key={query} query={query} filter={filter} showHost={showHost} /> : <Stored ask={ask} filter={filter} showHost={showHost} empty={empty} />}</div>
      </div>
    </>
  );
}

function Fields({ ask, filter }: { ask: LogsAsk; filter: LogViewProps['filter'] }) {
  const found = useStillResource(JSON.stringify(ask), async (abort) => (await fields(ask, abort)).data);
  return (
    <aside class="field-list" aria-label="Fields">
      <Loaded of={found}>
        {(data) => (
          <>
            <p class="soft">of the first {count(data.lines)} lines</p>
            {data.fields.map((field) => (
              <details key={field.name} open={field.distinct <= 5}>
                <summary>{visible(field.name)} <span class="soft">{count(field.distinct)}</span></summary>
                <ul>
                  {field.top.map(({ value, count: times }) => (
                    <li key={value}>
                      <button type="button" class="sort" title="Filter for this value" onClick={() => filter(field.name, value, true)}>{value === '' ? '(empty)' : visible(value)}</button> <span class="soft">{count(times)}</span>
                    </li>
                  ))}
                </ul>
              </details>
            ))}
          </>
        )}
      </Loaded>
    </aside>
  );
}

interface Pages {
  lines: LineStore;
  cursor: string | null;
  warnings: string[];
}

const NONE: Pages = { lines: LineStore.empty, cursor: null, warnings: [] };

function Stored({ ask, filter, showHost, empty }: { ask: LogsAsk } & Omit<LogViewProps, 'query'>) {
  const first = useStillResource<Pages>(JSON.stringify(ask), async (abort) => {
    const { data, warnings } = await logs(ask, undefined, abort);
    if (data.resultType !== 'lines') throw new ApiFault('this query gives numbers: a query for lines is expected here', 400, 'bad_data');
    return { lines: LineStore.empty.append(data.result), cursor: data.cursor, warnings };
  });
  // What was loaded behind a first page goes with it.
  const more = useSignal<{ behind: Pages; pages: Pages } | null>(null);
  const fault = useSignal<ApiFault | null>(null);
  const loading = useRef<AbortController | null>(null);
  const page = first.data.value;
  const pages = (more.value !== null && more.value.behind === page ? more.value.pages : page) ?? NONE;
  useEffect(() => {
    loading.current?.abort();
    loading.current = null;
    more.value = null;
    fault.value = null;
  }, [page]);
  useEffect(() => () => loading.current?.abort(), []);

  const isFull = pages.lines.length >= LINES_MAX;
  function loadMore() {
    const { cursor, lines } = pages;
    if (cursor === null || isFull || loading.current !== null) return;
    const abort = new AbortController();
    loading.current = abort;
    logs(ask, cursor, abort.signal, MORE_LINES).then(({ data, warnings }) => {
      if (abort.signal.aborted) return;
      loading.current = null;
      fault.value = null;
      more.value = { behind: page!, pages: { lines: lines.append(data.result), cursor: data.cursor, warnings: [...new Set([...pages.warnings, ...warnings])] } };
    }, (error: unknown) => {
      if (abort.signal.aborted) return;
      loading.current = null;
      fault.value = error instanceof ApiFault ? error : new ApiFault(String(error), 0, 'internal');
    });
  }

  return (
    <Loaded of={first} tall>
      {() => (pages.lines.length === 0
        ? <p class="empty">{empty} <button type="button" class="plain" onClick={() => setParams({ from: 'now-1d', to: 'now' }, 'push')}>Widen to 24 h</button></p>
        : (
          <>
            <Notes title="warning" lines={pages.warnings} />
            <Lines rows={pages.lines} find={(id) => pages.lines.find(id)} query={ask.query} filter={filter} showHost={showHost} atEnd={loadMore} />
            <p class="soft" role="status">
              {count(pages.lines.length)} lines{pages.cursor === null ? ', all there are.' : isFull ? '; there are more, which a smaller time range or a download has.' : '; there are more. '}
              {pages.cursor !== null && !isFull && <button type="button" class="plain small" onClick={loadMore}>Load {count(MORE_LINES)} more</button>}
              {' '}<button type="button" class="plain small" onClick={() => void download(ask, DOWNLOAD_MAX).then((blob) => save('logs.ndjson', blob), (error: ApiFault) => { fault.value = error; })}>NDJSON</button>
              {' '}<button type="button" class="plain small" onClick={() => saveLines(pages.lines)}>CSV</button>
              {' '}<button type="button" class="plain small" onClick={() => save('logs.txt', Array.from(pages.lines, (row) => row.line).join('\n') + '\n', 'text/plain;charset=utf-8')}>Text</button>
            </p>
            {fault.value !== null && <Fault fault={fault.value} retry={loadMore} />}
          </>
        ))}
    </Loaded>
  );
}

export function saveLines(rows: Iterable<Entry>, title = 'logs'): void {
  save(`${title}.csv`, csv([['time', 'instance', 'input', 'severity', 'line'], ...Array.from(rows, (row) => [
    new Date(row.ts).toISOString(), row.stream['instance'] ?? '', row.stream['input'] ?? '', row.stream['severity'] ?? '', row.line])]));
}
