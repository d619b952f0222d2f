// Up to eight PromQL queries: graph, table and the raw answer.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type Answer, ApiFault } from '../api/client';
import { type Labels, type Matrix, nameOf, numberOf, queryAt, queryRange, type Scalar, type Vector } from '../api/prom';
import { query as params, setParams } from '../app/router';
import { aligned, isUtc, range, refreshNow, stepOf, zoneName } from '../app/time';
import { Chart } from '../ui/chart';
import { saveCsv, savePng } from '../ui/chartfiles';
import { csv, save } from '../ui/csv';
import { count, dateTime, inUnit, type Unit, UNITS } from '../ui/format';
import { useResource } from '../ui/resource';
import { linesOf, type Lines } from '../ui/series';
import { Loaded, Notes } from '../ui/states';
import { visible } from '../ui/text';
import { QueryField } from './field';

const QUERIES_MAX = 8;
const LETTERS = 'ABCDEFGH';
const TABS = [['graph', 'Graph'], ['table', 'Table'], ['json', 'JSON']] as const;
const STEPS = ['auto', '1', '5', '15', '30', '60', '300', '900', '3600'];
const ROWS_MAX = 1000;

export function Explore() {
  const given = params.value.getAll('q');
  const asked = given.length === 0 ? [''] : given.slice(0, QUERIES_MAX);
  // What is typed and not yet run; the address has what was run.
  const drafts = useSignal<string[]>(asked);
  const key = asked.join('\n');
  useEffect(() => { drafts.value = asked; }, [key]);
  const hidden = new Set((params.value.get('hide') ?? '').split(''));

  function run() {
    const kept = drafts.peek().map((text) => text.trim());
    const next = kept.filter((text, index) => text !== '' || index === 0);
    if (next.join('\n') !== key) setParams({ q: next }, 'push');
    refreshNow(); // the same queries may be run again
  }

  return (
    <>
      <form class="queries" onSubmit={(event) => { event.preventDefault(); run(); }}>
        {drafts.value.map((draft, index) => (
          <div class="query" key={index}>
            <button type="button" class="plain icon letter" aria-pressed={!hidden.has(LETTERS[index]!)} aria-label={`Query ${LETTERS[index]} shown`}
              onClick={() => { const next = new Set(hidden); if (!next.delete(LETTERS[index]!)) next.add(LETTERS[index]!); setParams({ hide: [...next].sort().join('') || null }); }}>{LETTERS[index]}</button>
            <QueryField value={draft} label={`Query ${LETTERS[index]}`} run={run} changed={(text) => { drafts.value = drafts.peek().map((old, at) => (at === index ? text : old)); }} />
            {drafts.value.length > 1 && (
              <button type="button" class="plain icon" aria-label={`Remove query ${LETTERS[index]}`} onClick={() => { drafts.value = drafts.peek().filter((_, at) => at !== index); run(); }}>✕</button>
            )}
          </div>
        ))}
        <div class="filters">
          <button type="submit">Run</button>
          <button type="button" class="plain" disabled={drafts.value.length >= QUERIES_MAX} onClick={() => { drafts.value = [...drafts.peek(), '']; }}>+ Query</button>
          <Options />
        </div>
      </form>
      {asked.every((text) => text === '')
        ? <p class="empty">Write a query above, as <code>node_load1</code>, and run it with Ctrl+Enter.</p>
        : <Results queries={asked} hidden={hidden} />}
    </>
  );
}

function Select({ name, label, usual, options }: { name: string; label: string; usual: string; options: readonly (readonly [string, string])[] }) {
  return (
    <>
      <label for={name} class="inline">{label}</label>
      <select id={name} value={params.value.get(name) ?? usual} onChange={(event) => setParams({ [name]: event.currentTarget.value === usual ? null : event.currentTarget.value })}>
        {options.map(([value, title]) => <option key={value} value={value}>{title}</option>)}
      </select>
    </>
  );
}

function Options() {
  return (
    <>
      <Select name="mode" label="Over" usual="range" options={[['range', 'the range'], ['instant', "the range's end"]]} />
      <Select name="step" label="Step" usual="auto" options={STEPS.map((step) => [step, step === 'auto' ? 'auto' : `${step} s`] as const)} />
      <Select name="style" label="Draw" usual="line" options={[['line', 'lines'], ['area', 'areas'], ['stack', 'stacked'], ['points', 'points']]} />
      <Select name="scale" label="Scale" usual="linear" options={[['linear', 'linear'], ['log', 'logarithmic']]} />
      <Select name="unit" label="Unit" usual="none" options={UNITS.map((unit) => [unit, unit.replaceAll('_', ' ')] as const)} />
    </>
  );
}

interface Found {
  letter: string;
  answer: Answer<Vector | Matrix | Scalar> | null;
  fault: ApiFault | null;
}

interface Outcome {
  found: Found[];
  ms: number;
  start: number;
  end: number;
  step: number;
}

function Results({ queries, hidden }: { queries: string[]; hidden: ReadonlySet<string> }) {
  const isInstant = params.value.get('mode') === 'instant';
  const tab = params.value.get('tab') ?? (isInstant ? 'table' : 'graph');
  const chosen = Number(params.value.get('step') ?? NaN);
  const whole = range.value;
  const step = Number.isFinite(chosen) && chosen > 0 ? chosen * 1000 : stepOf(whole, Math.max(300, window.innerWidth - 250) / 2);
  const { start, end } = aligned(whole, step);
  const shown = queries.map((text, index) => ({ text, letter: LETTERS[index]! })).filter(({ text, letter }) => text !== '' && !hidden.has(letter));

  const outcome = useResource<Outcome>(JSON.stringify([shown, isInstant, start, end, step]), async (abort) => {
    const began = performance.now();
    const found = await Promise.all(shown.map(async ({ text, letter }): Promise<Found> => {
      try {
        const answer = await (isInstant ? queryAt(text, whole.end, abort, true) : queryRange(text, start, end, step, abort, true));
        return { letter, answer, fault: null };
      } catch (error) {
        // One query's fault leaves the others alone; that nobody answers at all is everyone's.
        if (error instanceof ApiFault && error.status >= 400 && error.status !== 401) return { letter, answer: null, fault: error };
        throw error;
      }
    }));
    return { found, ms: performance.now() - began, start, end, step };
  });

  return (
    <Loaded of={outcome} tall>
      {(data) => (
        <>
          {data.found.map(({ letter, fault }) => fault && <div key={letter} class="fault" role="alert"><p>{letter}: {fault.type}: {visible(fault.message)}</p><button type="button" class="plain" onClick={() => outcome.reload()}>Retry</button></div>)}
          <Notes title="note" lines={data.found.flatMap(({ letter, answer }) => [...(answer?.warnings ?? []), ...(answer?.infos ?? [])].map((line) => `${letter}: ${line}`))} />
          <p class="soft" role="status">{statistics(data, isInstant)}</p>
          <div class="tabs" role="tablist" aria-label="Views of the answer">
            {TABS.map(([name, title]) => (
              <button key={name} type="button" role="tab" id={`tab-${name}`} class="plain" aria-selected={tab === name} aria-controls="tab-panel" onClick={() => setParams({ tab: name })}>{title}</button>
            ))}
          </div>
          <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
            {tab === 'json' ? <Raw outcome={data} /> : tab === 'table' || isInstant ? <Table outcome={data} /> : <Graph outcome={data} />}
          </div>
        </>
      )}
    </Loaded>
  );
}

function statistics({ found, ms, step }: Outcome, isInstant: boolean): string {
  const series = found.reduce((sum, { answer }) => sum + (answer === null ? 0 : seriesOf(answer.data)), 0);
  const samples = found.reduce((sum, { answer }) => sum + (answer?.data.stats?.samples?.totalQueryableSamples ?? 0), 0);
  return `${Math.round(ms)} ms · ${count(series)} series · ${count(samples)} samples read${isInstant ? '' : ` · step ${step / 1000} s`}`;
}

function seriesOf(data: Vector | Matrix | Scalar): number {
  return data.resultType === 'vector' || data.resultType === 'matrix' ? data.result.length : 1;
}

function Graph({ outcome: { found, start, end, step } }: { outcome: Outcome }) {
  const figure = useRef<HTMLElement>(null);
  const many = found.length > 1;
  const all = found.flatMap(({ letter, answer }) => (answer?.data.resultType === 'matrix'
    ? [linesOf(answer.data, start, end, step, (labels) => (many ? `${letter}: ` : '') + nameOf(labels))] : []));
  const lines: Lines = { times: all[0]?.times ?? [], lines: all.flatMap((each) => each.lines) };
  if (lines.lines.length === 0) return <p class="empty">No sample in this time range.</p>;
  const style = params.value.get('style') ?? 'line';
  const unit = (params.value.get('unit') ?? 'none') as Unit;
  return (
    <figure ref={figure} class="panel" aria-label="Graph">
      <p class="panel-menu">
        <button type="button" class="plain small" onClick={() => saveCsv('explore', lines)}>CSV</button>
        <button type="button" class="plain small" onClick={() => savePng('explore', figure.current!, lines)}>PNG</button>
      </p>
      <Chart title="Graph" unit={UNITS.includes(unit) ? unit : 'none'} style={style === 'area' || style === 'points' ? style : 'line'} stack={style === 'stack'}
        log={params.value.get('scale') === 'log'} data={lines} height={360} />
    </figure>
  );
}

interface TableRow {
  letter: string;
  labels: Labels;
  time: number;
  value: string;
}

function rowsOf({ found }: Outcome): TableRow[] {
  return found.flatMap(({ letter, answer }): TableRow[] => {
    const data = answer?.data;
    if (data === undefined) return [];
    if (data.resultType === 'vector') return data.result.map(({ metric, value }) => ({ letter, labels: metric, time: value[0], value: value[1] }));
    if (data.resultType === 'matrix') {
      return data.result.map(({ metric, values }) => { const last = values.at(-1)!; return { letter, labels: metric, time: last[0], value: last[1] }; });
    }
    return [{ letter, labels: {}, time: data.result[0], value: data.result[1] }];
  });
}

function Table({ outcome }: { outcome: Outcome }) {
  const rows = rowsOf(outcome);
  if (rows.length === 0) return <p class="empty">The query has no result at this time.</p>;
  const unit = (params.value.get('unit') ?? 'none') as Unit;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.labels)))].sort();
  const saveRows = () => save('explore.csv', csv([['query', ...names, 'time', 'value'],
    ...rows.map((row) => [row.letter, ...names.map((name) => row.labels[name] ?? ''), new Date(row.time * 1000).toISOString(), row.value])]));
  return (
    <>
      <p class="panel-menu"><button type="button" class="plain small" onClick={saveRows}>CSV</button></p>
      <div class="scroll" role="region" aria-label="Result" tabIndex={0}>
        <table>
          <caption class="hidden">The newest value of each series</caption>
          <thead>
            <tr><th scope="col">Query</th>{names.map((name) => <th key={name} scope="col">{visible(name)}</th>)}<th scope="col">Time, {zoneName}</th><th scope="col" class="number">Value</th></tr>
          </thead>
          <tbody>
            {rows.slice(0, ROWS_MAX).map((row) => (
              <tr key={row.letter + JSON.stringify(row.labels)}>
                <td>{row.letter}</td>{names.map((name) => <td key={name}>{visible(row.labels[name] ?? '')}</td>)}<td>{dateTime(row.time * 1000, isUtc.value)}</td>
                <td class="number" title={row.value}>{unit === 'none' ? row.value : inUnit(numberOf(row.value), unit)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > ROWS_MAX && <p class="soft">The first {count(ROWS_MAX)} of {count(rows.length)} rows; CSV has all.</p>}
    </>
  );
}

const RAW_MAX = 200_000;

function Raw({ outcome }: { outcome: Outcome }) {
  const text = JSON.stringify(outcome.found.map(({ letter, answer, fault }) => ({ query: letter, ...(answer ?? { error: fault?.message }) })), null, 1);
  return (
    <>
      <pre class="whole tall" tabIndex={0} role="region" aria-label="JSON">{visible(text.slice(0, RAW_MAX))}</pre>
      {text.length > RAW_MAX && <p class="soft">The first {count(RAW_MAX)} of {count(text.length)} characters.</p>}
    </>
  );
}
