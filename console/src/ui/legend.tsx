// What a chart draws, in words and numbers: its legend, and all of its data as a table.
import { colourOf, looks } from '../app/theme';
import { isUtc } from '../app/time';
import { dateTime, inUnit, type Unit } from './format';
import { type Lines, summaryOf } from './series';

export function Legend({ title, data, unit, only, pick, isList }: { title: string; data: Lines; unit: Unit; only: ReadonlySet<string> | null; pick: (name: string, add: boolean) => void; isList: boolean }) {
  const theme = looks.value;
  return (
    <div class={isList ? 'legend list' : 'legend'} role="region" aria-label={`Legend of ${title}`} tabIndex={0}>
      <table>
        <thead><tr><th scope="col">Series</th><th scope="col" class="number">last</th><th scope="col" class="number">min</th><th scope="col" class="number">avg</th><th scope="col" class="number">max</th></tr></thead>
        <tbody>
          {data.lines.map((line, index) => {
            const { last, min, avg, max } = summaryOf(line.values);
            const isOn = only === null || only.has(line.name);
            return (
              <tr key={line.name} class={isOn ? undefined : 'off'}>
                <th scope="row">
                  <button type="button" class="sort" aria-pressed={isOn} title="Click: only this one. Ctrl+click: with others" onClick={(event) => pick(line.name, event.ctrlKey || event.metaKey)}>
                    <i key={theme} class="key" ref={(node) => { if (node) node.style.background = colourOf(index); }} />{line.name}
                  </button>
                </th>
                <td class="number" title={last === null ? '' : String(last)} data-last={last ?? ''}>{inUnit(last, unit)}</td>
                <td class="number">{inUnit(min, unit)}</td><td class="number">{inUnit(avg, unit)}</td><td class="number">{inUnit(max, unit)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

const TABLE_ROWS = 500;

export function DataTable({ data, unit, title }: { data: Lines; unit: Unit; title: string }) {
  const rows = data.times.map((time, index) => ({ time, index })).reverse().slice(0, TABLE_ROWS);
  return (
    <div class="legend tall" role="region" aria-label={`Data of ${title}`} tabIndex={0}>
      <table>
        <thead><tr><th scope="col">Time</th>{data.lines.map((line) => <th key={line.name} scope="col" class="number">{line.name}</th>)}</tr></thead>
        <tbody>
          {rows.map(({ time, index }) => (
            <tr key={time}><th scope="row">{dateTime(time * 1000, isUtc.value)}</th>{data.lines.map((line) => <td key={line.name} class="number">{inUnit(line.values[index], unit)}</td>)}</tr>
          ))}
        </tbody>
      </table>
      {data.times.length > TABLE_ROWS && <p class="soft">The newest {TABLE_ROWS} of {data.times.length} times; CSV has all.</p>}
    </div>
  );
}
