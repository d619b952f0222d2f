// A dashboard's variables: what can be chosen, and what the address has chosen.
import { get } from '../api/client';
import { queryAt, type Vector } from '../api/prom';
import { durationMs } from '../app/duration';
import { query as params, setParams } from '../app/router';
import { from, range, to } from '../app/time';
import { type Resource, useResource } from '../ui/resource';
import { visible } from '../ui/text';
import { fill, type Filling, type Fillings, missingIn, type Steps } from './fill';
import { type Variable } from './model';

/** In an address: every value that there is. */
const ALL = '$__all';

const OPTIONS_MAX = 500;

export interface Chosen {
  fillings: Fillings;
  options: ReadonlyMap<string, readonly string[]>;
}

/** Durations of queries, for a step in milliseconds. */
export function stepsOf(stepMs: number, rangeMs: number): Steps {
  // Four intervals of an agent: rate() needs two samples, and one may be late.
  return { __step: `${stepMs / 1000}s`, __range: `${Math.max(1, Math.round(rangeMs / 1000))}s`, __rate: `${Math.max(60, stepMs / 1000)}s` };
}

export function useVariables(variables: readonly Variable[]): Resource<Chosen> {
  const given = variables.map((variable) => params.value.getAll(`var-${variable.name}`));
  // With each refresh, too: what "all" means is what there is by now.
  return useResource(JSON.stringify([variables, given, from.value, to.value]), async (abort) => {
    const fillings = new Map<string, Filling>();
    const options = new Map<string, readonly string[]>();
    for (const [index, variable] of variables.entries()) {
      const found = await optionsOf(variable, fillings, abort);
      options.set(variable.name, found);
      fillings.set(variable.name, {
        values: chosenOf(variable, given[index]!, found),
        isInterval: variable.kind === 'interval',
        isMany: variable.multi === true || variable.all === true,
        label: variable.label ?? variable.name,
        hasOptions: found.length > 0,
      });
    }
    return { fillings, options };
  });
}

async function optionsOf(variable: Variable, fillings: Fillings, abort: AbortSignal): Promise<readonly string[]> {
  const { start, end } = range.peek();
  const steps = stepsOf(15_000, end - start);
  // Without a value for what it depends on there is nothing to choose from.
  if (missingIn(variable.match ?? variable.promql ?? '', fillings).length > 0) return [];
  if (variable.kind === 'text') return [];
  if (variable.kind === 'list' || variable.kind === 'interval') return sorted(variable.values ?? [], variable.kind === 'list' ? variable.sort ?? 'none' : 'none');
  if (variable.kind === 'label_values') {
    const match = variable.match === undefined || variable.match === '' ? undefined : fill(variable.match, fillings, steps);
    const { data } = await get<string[]>(`api/v1/label/${encodeURIComponent(variable.of ?? '')}/values`, { 'match[]': match, start: start / 1000, end: end / 1000, limit: OPTIONS_MAX }, abort);
    return sorted(data, variable.sort ?? 'asc');
  }
  const { data } = await queryAt(fill(variable.promql ?? '', fillings, steps), end, abort);
  const values = new Set((data as Vector).result.map(({ metric }) => metric[variable.label_name ?? ''] ?? '').filter((value) => value !== ''));
  return sorted([...values].slice(0, OPTIONS_MAX), variable.sort ?? 'asc');
}

function sorted(values: readonly string[], by: 'asc' | 'desc' | 'none'): readonly string[] {
  if (by === 'none') return values;
  const all = [...values].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return by === 'desc' ? all.reverse() : all;
}

function chosenOf(variable: Variable, given: readonly string[], options: readonly string[]): readonly string[] {
  if (variable.kind === 'text') return [given[0] ?? variable.default ?? ''];
  if (variable.all === true && (given.includes(ALL) || (given.length === 0 && (variable.default === undefined || variable.default === 'all')))) return options;
  given = given.filter((value) => value !== '');
  // What the address names and is not there any more is shown all the same: its panels say that there is nothing.
  if (given.length > 0) return variable.multi === true ? given : given.slice(0, 1);
  const usual = variable.default !== undefined && variable.default !== 'first' && variable.default !== 'all' ? variable.default : options[0];
  return usual === undefined ? [] : [usual];
}

export function VariableBar({ variables, chosen }: { variables: readonly Variable[]; chosen: Chosen | null }) {
  if (variables.length === 0) return null;
  return (
    <form class="filters" role="search" aria-label="Variables" onSubmit={(event) => event.preventDefault()}>
      {variables.map((variable) => <Field key={variable.name} variable={variable} chosen={chosen} />)}
    </form>
  );
}

function Field({ variable, chosen }: { variable: Variable; chosen: Chosen | null }) {
  const name = `var-${variable.name}`;
  const label = visible(variable.label ?? variable.name);
  const values = chosen?.fillings.get(variable.name)?.values ?? [];
  const given = params.value.getAll(name);
  const set = (next: readonly string[]) => setParams({ [name]: next.length === 0 ? null : next }, 'push');
  if (variable.kind === 'text') {
    return <><label class="inline" for={name}>{label}</label><input id={name} type="search" class="short" value={values[0] ?? given[0] ?? ''} onChange={(event) => set([event.currentTarget.value])} /></>;
  }
  const options = [...new Set([...(chosen?.options.get(variable.name) ?? []), ...values])];
  const isAll = variable.all === true && (given.includes(ALL) || given.length === 0) && values.length === options.length;
  if (variable.multi === true) {
    return (
      <details class="choose">
        <summary>{label}: {isAll ? 'all' : values.length > 2 ? `${values.length} chosen` : values.map(visible).join(', ') || 'none'}</summary>
        <fieldset>
          <legend class="hidden">{label}</legend>
          {variable.all === true && <label class="check"><input type="checkbox" checked={isAll} onChange={() => set([ALL])} /> all</label>}
          {options.map((option) => (
            <label key={option} class="check">
              <input type="checkbox" checked={!isAll && values.includes(option)}
                onChange={(event) => set(event.currentTarget.checked ? [...(isAll ? [] : values), option] : values.filter((each) => each !== option))} /> {visible(option)}
            </label>
          ))}
        </fieldset>
      </details>
    );
  }
  return (
    <>
      <label class="inline" for={name}>{label}</label>
      <select id={name} value={isAll ? ALL : values[0] ?? ''} onChange={(event) => set([event.currentTarget.value])}>
        {variable.all === true && <option value={ALL}>all</option>}
        {options.map((option) => <option key={option} value={option}>{visible(option)}</option>)}
      </select>
    </>
  );
}

/** The longest of the durations is what a chart cannot be finer than. */
export function stepFloor(steps: readonly (string | undefined)[]): number {
  return Math.max(15_000, ...steps.map((step) => (step === undefined ? 0 : durationMs(step))));
}
