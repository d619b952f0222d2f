// Forms of a dashboard that is edited: each change is in the draft at once, and its preview with it.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { check } from '../api/dashboards';
import { QueryField } from '../explore/field';
import { type Unit, UNITS } from '../ui/format';
import { visible } from '../ui/text';
import { COLUMNS } from './layout';
import { type Definition, type Grid, KINDS, type Level, type PanelDefinition, type Query, type Threshold } from './model';

const CELL_HEIGHT = 40;

export function TopForm({ definition, change }: { definition: Definition; change: (next: Definition) => void }) {
  return (
    <form class="filters" aria-label="Dashboard" onSubmit={(event) => event.preventDefault()}>
      <TextField label="Title" value={definition.title} set={(title) => change({ ...definition, title })} />
      <TextField label="Description" value={definition.description ?? ''} set={(description) => change({ ...definition, description: description || undefined })} />
      <TextField label="Tags" value={(definition.tags ?? []).join(', ')} set={(tags) => change({ ...definition, tags: tags.split(',').map((tag) => tag.trim()).filter((tag) => tag !== '') })} />
    </form>
  );
}

export function AddPanel({ add }: { add: (kind: PanelDefinition['kind']) => void }) {
  const kind = useRef<HTMLSelectElement>(null);
  return (
    <p class="filters">
      <label class="inline" for="new-kind">New panel</label>
      <select id="new-kind" ref={kind}>{KINDS.map((each) => <option key={each} value={each}>{each}</option>)}</select>
      <button type="button" class="plain" onClick={() => add(kind.current!.value as PanelDefinition['kind'])}>Add panel</button>
    </p>
  );
}

/** Moves by dragging and by arrow keys, with Shift it makes larger and smaller; the form has the numbers. */
export function MoveHandle({ name, grid, move }: { name: string; grid: Grid; move: (to: Grid) => void }) {
  const from = useRef<{ x: number; y: number; grid: Grid; column: number } | null>(null);
  const latest = useRef(move);
  latest.current = move;
  // The page's order follows the grid's: a panel that passes another one is put elsewhere in the document, and loses the focus with it.
  const button = useRef<HTMLButtonElement>(null);
  const again = useRef(false);
  useEffect(() => {
    if (again.current) button.current?.focus({ preventScroll: true });
    again.current = false;
  }, [grid.x, grid.y, grid.w, grid.h]);

  function onKey(event: KeyboardEvent) {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const [x, y] = by as [number, number];
    again.current = true;
    move(event.shiftKey ? { ...grid, w: grid.w + x, h: grid.h + y } : { ...grid, x: grid.x + x, y: grid.y + y });
  }
  function onDown(event: PointerEvent) {
    const box = (event.currentTarget as Element).closest('.dash')!.getBoundingClientRect();
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, y: event.clientY, grid, column: box.width / COLUMNS };
  }
  // Once, at the end: the grid settles anew with each move.
  function onUp(event: PointerEvent) {
    const began = from.current;
    from.current = null;
    if (began === null) return;
    const [x, y] = [Math.round((event.clientX - began.x) / began.column), Math.round((event.clientY - began.y) / CELL_HEIGHT)];
    if (x !== 0 || y !== 0) latest.current(event.shiftKey ? { ...began.grid, w: began.grid.w + x, h: began.grid.h + y } : { ...began.grid, x: began.grid.x + x, y: began.grid.y + y });
  }
  return (
    <button ref={button} type="button" class="plain small move" aria-label={`Move ${name}: arrow keys; with Shift its size`} title="Drag, or arrow keys; with Shift the size"
      onKeyDown={onKey} onPointerDown={onDown} onPointerUp={onUp} onPointerCancel={() => { from.current = null; }}>✥</button>
  );
}

let fields = 0;

function useId(): string {
  return (useRef<string>(null!).current ??= `field-${++fields}`);
}

const TYPED_MS = 400;

/** What is typed stays whatever is drawn anew meanwhile, and is taken when one pauses or leaves the field. */
function useTyped(value: string, set: (text: string) => void) {
  const typed = useSignal<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const take = useRef<() => void>(undefined);
  take.current = () => {
    clearTimeout(timer.current);
    const text = typed.peek();
    typed.value = null;
    if (text !== null && text !== value) set(text);
  };
  return {
    value: typed.value ?? value,
    onInput: (event: { currentTarget: { value: string } }) => {
      typed.value = event.currentTarget.value;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => take.current!(), TYPED_MS);
    },
    onChange: () => take.current!(),
  };
}

function TextField({ label, value, set }: { label: string; value: string; set: (text: string) => void }) {
  const id = useId();
  return <span class="field"><label for={id}>{label}</label><input id={id} {...useTyped(value, set)} /></span>;
}

function NumberField({ label, value, set, min, max }: { label: string; value: number | undefined; set: (value: number | undefined) => void; min?: number; max?: number }) {
  const id = useId();
  return (
    <span class="field narrow"><label for={id}>{label}</label><input id={id} type="number" step="any" min={min} max={max}
      {...useTyped(value === undefined ? '' : String(value), (text) => set(text === '' || !Number.isFinite(Number(text)) ? undefined : Number(text)))} /></span>
  );
}

function Choice({ label, value, options, set }: { label: string; value: string; options: readonly string[]; set: (value: string) => void }) {
  const id = useId();
  return (
    <span class="field"><label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => set(event.currentTarget.value)}>{options.map((option) => <option key={option} value={option}>{option}</option>)}</select>
    </span>
  );
}

// By kind: the choices whose names and values the definition has.
const CHOICES: Partial<Record<PanelDefinition['kind'], readonly (readonly [keyof PanelDefinition & string, readonly string[]])[]>> = {
  timeseries: [['style', ['line', 'area', 'bars', 'steps', 'points']], ['stack', ['none', 'normal', 'percent']], ['scale', ['linear', 'log']], ['legend', ['table', 'list', 'none']]],
  stat: [['reduce', ['last', 'min', 'max', 'avg', 'sum']]],
  gauge: [['reduce', ['last', 'min', 'max', 'avg', 'sum']], ['shape', ['arc', 'bar']]],
  heatmap: [['scale', ['linear', 'log']], ['palette', ['blue', 'heat', 'grey']]],
};

export function PanelForm({ panel, others, change, remove, duplicate, close }: { panel: PanelDefinition; others: readonly PanelDefinition[]; change: (next: PanelDefinition) => void; remove: () => void; duplicate: () => void; close: () => void }) {
  const grid = (part: Partial<Grid>) => change({ ...panel, grid: { ...panel.grid, ...part } });
  const queries = panel.queries ?? [];
  const setQuery = (index: number, part: Partial<Query>) => change({ ...panel, queries: queries.map((query, at) => (at === index ? { ...query, ...part } : query)) });
  const setThreshold = (index: number, next: Threshold | null) =>
    change({ ...panel, thresholds: (panel.thresholds ?? []).flatMap((threshold, at) => (at !== index ? [threshold] : next === null ? [] : [next])) });
  return (
    <section class="card panel-form" aria-label={`Edit ${visible(panel.title ?? panel.id)}`} onKeyDown={(event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      event.currentTarget.closest('.cell')?.querySelector<HTMLElement>('button[aria-expanded]')?.focus();
      close();
    }}>
      <div class="filters">
        <TextField label="Title" value={panel.title ?? ''} set={(title) => change({ ...panel, title })} />
        <Choice label="Unit" value={panel.unit ?? 'none'} options={UNITS} set={(unit) => change({ ...panel, unit: unit as Unit })} />
        {(CHOICES[panel.kind] ?? []).map(([key, options]) => <Choice key={key} label={key} value={String(panel[key] ?? options[0])} options={options} set={(value) => change({ ...panel, [key]: value })} />)}
        {panel.kind !== 'text' && panel.kind !== 'logs' && <NumberField label="Min" value={panel.min} set={(min) => change({ ...panel, min })} />}
        {panel.kind !== 'text' && panel.kind !== 'logs' && <NumberField label="Max" value={panel.max} set={(max) => change({ ...panel, max })} />}
        <NumberField label="x" min={0} max={COLUMNS - 1} value={panel.grid.x} set={(x) => grid({ x: Math.round(x ?? 0) })} />
        <NumberField label="y" min={0} value={panel.grid.y} set={(y) => grid({ y: Math.round(y ?? 0) })} />
        <NumberField label="Width" min={1} max={COLUMNS} value={panel.grid.w} set={(w) => grid({ w: Math.round(w ?? 1) })} />
        <NumberField label="Height" min={1} max={100} value={panel.grid.h} set={(h) => grid({ h: Math.round(h ?? 1) })} />
      </div>
      {panel.kind === 'text' && <TextArea label="Text" value={panel.body ?? ''} set={(body) => change({ ...panel, body: body || ' ' })} />}
      {queries.map((query, index) => (
        <div key={index} class="filters">
          {query.logql !== undefined ? <TextArea label={`Query ${'ABCDEFGH'[index]}, LogQL`} value={query.logql} set={(logql) => setQuery(index, { logql })} />
            : <PromqlField label={`Query ${'ABCDEFGH'[index]}`} value={query.promql ?? ''} set={(promql) => setQuery(index, { promql })} />}
          <TextField label="Legend" value={query.legend ?? ''} set={(legend) => setQuery(index, { legend: legend || undefined })} />
          {queries.length > 1 && <button type="button" class="plain small" onClick={() => change({ ...panel, queries: queries.filter((_, at) => at !== index) })}>Remove query {'ABCDEFGH'[index]}</button>}
        </div>
      ))}
      {(panel.thresholds ?? []).map((threshold, index) => (
        <div key={index} class="filters">
          <Choice label="Level" value={threshold.level} options={['ok', 'warn', 'crit']} set={(level) => setThreshold(index, { ...threshold, level: level as Level })} />
          <Choice label="When" value={threshold.below === undefined ? 'above' : 'below'} options={['above', 'below']}
            set={(when) => setThreshold(index, { level: threshold.level, [when]: threshold.above ?? threshold.below ?? 0 })} />
          <NumberField label="Value" value={threshold.above ?? threshold.below} set={(value) => setThreshold(index, { level: threshold.level, [threshold.below === undefined ? 'above' : 'below']: value ?? 0 })} />
          <button type="button" class="plain small" onClick={() => setThreshold(index, null)}>Remove threshold</button>
        </div>
      ))}
      <p class="filters">
        {panel.kind !== 'text' && <button type="button" class="plain small" disabled={queries.length >= 8} onClick={() => change({ ...panel, queries: [...queries, panel.kind === 'logs' ? { logql: '{instance=~".+"}' } : { promql: 'up' }] })}>Add query</button>}
        {panel.kind !== 'text' && panel.kind !== 'logs' && <button type="button" class="plain small" onClick={() => change({ ...panel, thresholds: [...(panel.thresholds ?? []), { level: 'warn', above: 0 }] })}>Add threshold</button>}
        <button type="button" class="plain small" disabled={others.length >= 99} onClick={duplicate}>Duplicate panel</button>
        <button type="button" class="plain small" onClick={remove}>Remove panel</button>
      </p>
    </section>
  );
}

// What is typed is taken by Ctrl+Enter or when one leaves the field: not every letter is a query.
function PromqlField({ label, value, set }: { label: string; value: string; set: (text: string) => void }) {
  const text = useSignal(value);
  useEffect(() => { text.value = value; }, [value]);
  const apply = () => { if (text.peek() !== value) set(text.peek()); };
  return <div class="grow" onFocusOut={apply}><QueryField value={text.value} label={label} changed={(next) => { text.value = next; }} run={apply} /></div>;
}

function TextArea({ label, value, set }: { label: string; value: string; set: (text: string) => void }) {
  const id = useId();
  return <div class="grow"><label for={id}>{label}</label><textarea id={id} class="mono" rows={2} spellcheck={false} {...useTyped(value, set)} /></div>;
}

/** All that the forms do not have: the definition itself. */
export function TomlForm({ toml, take }: { toml: string; take: (next: Definition) => void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  const fault = useSignal('');
  useEffect(() => { if (field.current !== null) field.current.value = toml; }, [toml]);
  const apply = () => {
    fault.value = '';
    check(field.current!.value).then(take, (error: unknown) => { fault.value = error instanceof Error ? error.message : String(error); });
  };
  return (
    <details class="card">
      <summary>TOML</summary>
      <label for="toml">The definition; variables and what the forms above lack are changed here</label>
      <textarea id="toml" ref={field} class="mono" rows={20} spellcheck={false} defaultValue={toml} aria-describedby="toml-fault" />
      <p id="toml-fault" class="fault lines-kept" role="alert">{fault}</p>
      <button type="button" class="plain" onClick={apply}>Apply</button>
    </details>
  );
}
