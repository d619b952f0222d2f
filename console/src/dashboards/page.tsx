// One dashboard: its variables and panels; while it is edited, a draft of it that nobody else sees until it is saved.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ApiFault } from '../api/client';
import { dashboard, dashboards, ORIGINS, remove, save as put, type Stored } from '../api/dashboards';
import { durationMs } from '../app/duration';
import { go, linkTo, query as params, setParams } from '../app/router';
import { defaults } from '../app/time';
import { save as download } from '../ui/csv';
import { useStillResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { visible } from '../ui/text';
import { type Draft, drafts, setDraft } from './drafts';
import { AddPanel, MoveHandle, PanelForm, TomlForm, TopForm } from './edit';
import type { Fillings } from './fill';
import { bottomOf, freeId, moved, placed } from './layout';
import { type Definition, type Grid } from './model';
import { DashboardPanel } from './panel';
import { dashboardTitle } from './title';
import { tomlOf } from './toml';
import { useVariables, VariableBar } from './variables';

const USUAL = defaults.peek();

// The address goes before the dashboard's own range and refresh.
function take({ title, range, refresh }: Definition): void {
  dashboardTitle.value = visible(title);
  const from = /^\d{1,6}[smhdw]$/.test(range ?? '') ? `now-${range}` : `now-${Math.max(1, Math.round(durationMs(range ?? '1h') / 60_000))}m`;
  const next = { from, refresh: refresh ?? '15s' };
  if (next.from !== defaults.peek().from || next.refresh !== defaults.peek().refresh) defaults.value = next;
}

export function DashboardPage({ id }: { id: string }) {
  const draft = drafts.value[id];
  const isNew = draft !== undefined && draft.etag === null;
  const stored = useStillResource<Stored | null>(`${id} ${isNew}`, async (abort) => {
    const found = isNew ? null : await stillThere(id, abort);
    const definition = drafts.peek()[id]?.definition ?? found?.definition;
    if (definition !== undefined) take(definition);
    return found;
  });
  useEffect(() => () => { defaults.value = USUAL; dashboardTitle.value = 'Dashboard'; }, []);
  useEffect(() => { if (draft !== undefined) take(draft.definition); }, [draft]);
  if (isNew) return <View id={id} stored={null} draft={draft} reload={() => stored.reload()} />;
  return <Loaded of={stored} tall>{(found) => (found === null ? null : <View id={id} stored={found} draft={draft} reload={() => stored.reload()} />)}</Loaded>;
}

// A draft outlives its dashboard: it is a new one then.
async function stillThere(id: string, abort: AbortSignal): Promise<Stored | null> {
  try {
    return await dashboard(id, abort);
  } catch (error) {
    const draft = drafts.peek()[id];
    if (!(error instanceof ApiFault) || error.status !== 404 || draft === undefined) throw error;
    setDraft(id, { ...draft, etag: null, isOrphan: true });
    return null;
  }
}

function View({ id, stored, draft, reload }: { id: string; stored: Stored | null; draft: Draft | undefined; reload: () => void }) {
  const isMine = stored === null || stored.origin === 'console';
  const isEdit = params.value.get('edit') === '1' && isMine;
  const definition = (isMine ? draft?.definition : undefined) ?? stored!.definition;
  const variables = definition.variables ?? [];
  const chosen = useVariables(variables);
  const single = params.value.get('panel');
  const change = (next: Definition) => setDraft(id, draft === undefined ? { definition: next, etag: stored!.etag } : { ...draft, definition: next });
  return (
    <>
      <p class="soft">
        <a href={linkTo('dashboards')}>‹ Dashboards</a> · {stored === null ? (draft?.isOrphan === true ? 'deleted by somebody else meanwhile; your changes are kept, and Save makes it anew' : 'not saved yet') : ORIGINS[stored.origin]}
        {definition.description !== undefined && ` · ${visible(definition.description)}`}
        {draft !== undefined && stored !== null && isMine && ' · with changes that are not saved'}
      </p>
      <Tools id={id} stored={stored} draft={draft} definition={definition} isEdit={isEdit} reload={reload} />
      {isEdit && <TopForm key={id} definition={definition} change={change} />}
      <VariableBar variables={variables} chosen={chosen.data.value} />
      <Loaded of={chosen}>
        {({ fillings }) => (single === null
          ? <Panels definition={definition} fillings={fillings} change={isEdit ? change : null} />
          : <Single definition={definition} fillings={fillings} id={single} />)}
      </Loaded>
      {isEdit && <AddPanel add={(kind) => {
        const panels = definition.panels ?? [];
        const panel = { id: freeId(panels, kind), title: 'New panel', kind, grid: { x: 0, y: bottomOf(panels), w: 12, h: 8 }, ...(kind === 'gauge' ? { min: 0, max: 100 } : kind === 'heatmap' ? { y_bins: 20 } : {}),
          ...(kind === 'text' ? { body: 'Text' } : { queries: [kind === 'logs' ? { logql: '{instance=~".+"}' } : { promql: 'up' }] }) };
        change({ ...definition, panels: [...panels, panel] });
        setParams({ selected: panel.id });
      }} />}
      {isEdit && <TomlForm toml={tomlOf(definition)} take={(next) => change({ ...next, id })} />}
    </>
  );
}

function Tools({ id, stored, draft, definition, isEdit, reload }: { id: string; stored: Stored | null; draft: Draft | undefined; definition: Definition; isEdit: boolean; reload: () => void }) {
  const fault = useSignal('');
  const busy = useSignal(false);
  const isMine = stored === null || stored.origin === 'console';
  const text = draft === undefined && stored !== null ? stored.toml : tomlOf(definition);

  async function attempt(what: () => Promise<void>, failed = 'Not saved') {
    busy.value = true;
    fault.value = '';
    try {
      await what();
    } catch (error) {
      // The draft stays whatever came of it. What is there now, or that nothing is, is worth knowing when it was not taken for that.
      if (error instanceof ApiFault && error.status === 412) reload();
      fault.value = error instanceof ApiFault && error.status === 412 ? `Not saved: ${error.message}. Your changes are kept here; export them, or discard them to see what is there now.`
        : `${failed}: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      busy.value = false;
    }
  }
  const save = () => attempt(async () => {
    await put(id, tomlOf(definition), draft?.etag ?? null);
    setDraft(id, null);
    setParams({ edit: null, selected: null });
    reload();
  });
  const erase = () => attempt(async () => {
    if (!confirm(`Delete the dashboard "${definition.title}" for everybody?`)) return;
    await remove(id, stored!.etag);
    setDraft(id, null);
    go('dashboards');
  });
  const copy = () => attempt(async () => {
    const next = freeId([...(await dashboards()), ...Object.keys(drafts.peek()).map((each) => ({ id: each }))], `${id.slice(0, 50)}-copy`);
    const { overrides_builtin: _, ...rest } = definition;
    setDraft(next, { definition: { ...rest, id: next, title: `${definition.title} (copy)` }, etag: null });
    go('d/' + next, { edit: '1' });
  }, 'Not duplicated');
  const discard = () => {
    setDraft(id, null);
    if (stored === null) go('dashboards');
    else {
      setParams({ edit: null, selected: null });
      reload();
    }
  };
  return (
    <>
      <p class="filters">
        {isEdit ? <button type="button" disabled={busy.value || draft === undefined} onClick={() => void save()}>Save</button>
          : isMine && <button type="button" class="plain" onClick={() => setParams({ edit: '1' }, 'push')}>Edit</button>}
        {isEdit && <button type="button" class="plain" onClick={discard}>{draft === undefined ? 'Close' : 'Discard changes'}</button>}
        <button type="button" class="plain" disabled={busy.value} onClick={() => void copy()}>{isMine ? 'Duplicate' : 'Duplicate to edit'}</button>
        <button type="button" class="plain" onClick={() => download(`${id}.toml`, text, 'application/toml;charset=utf-8')}>Export TOML</button>
        {isEdit && stored !== null && <button type="button" class="plain" disabled={busy.value} onClick={() => void erase()}>Delete</button>}
      </p>
      <p class="fault lines-kept" role="alert">{fault}</p>
    </>
  );
}

function Single({ definition, fillings, id }: { definition: Definition; fillings: Fillings; id: string }) {
  const found = placed(definition.panels ?? [], fillings).filter(({ panel }) => panel.id === id);
  if (found.length === 0) return <p class="empty">There is no such panel. <button type="button" class="plain" onClick={() => setParams({ panel: null })}>All panels</button></p>;
  return <>{found.map(({ key, panel, fillings: own }) => <DashboardPanel key={key} panel={panel} fillings={own} rows={null} />)}</>;
}

function Panels({ definition, fillings, change }: { definition: Definition; fillings: Fillings; change: ((next: Definition) => void) | null }) {
  const panels = definition.panels ?? [];
  const all = placed(panels, fillings);
  const selected = params.value.get('selected');
  if (all.length === 0) return <p class="empty">{change === null ? 'This dashboard has no panel.' : 'No panel yet: add one below.'}</p>;
  const move = (id: string, to: Grid) => change?.({ ...definition, panels: moved(panels, id, to) });
  return (
    <div class="dash">
      {all.map(({ key, panel, grid, fillings: own }) => (
        <div key={key} class={`cell${panel.id === selected && change !== null ? ' selected' : ''}${grid.x < 8 ? ' at-left' : ''}`}
          style={{ gridColumn: `${grid.x + 1} / span ${grid.w}`, gridRow: `${grid.y + 1} / span ${grid.h}` }}>
          <DashboardPanel panel={panel} fillings={own} rows={grid.h} tools={change !== null && (
            <>
              <MoveHandle name={visible(panel.title ?? panel.id)} grid={panel.grid} move={(to) => move(panel.id, to)} />
              <button type="button" class="plain small" aria-expanded={panel.id === selected} onClick={() => setParams({ selected: panel.id === selected ? null : panel.id })}>Edit<span class="hidden"> {visible(panel.title ?? panel.id)}</span></button>
            </>
          )} />
          {change !== null && panel.id === selected && (
            <PanelForm key={panel.id} panel={panel} others={panels.filter((other) => other !== panel)}
              change={(next) => change({ ...definition, panels: moved(panels.map((other) => (other === panel ? next : other)), next.id, next.grid) })}
              close={() => setParams({ selected: null })}
              remove={() => { change({ ...definition, panels: panels.filter((other) => other !== panel) }); setParams({ selected: null }); }}
              duplicate={() => {
                const twin = { ...panel, id: freeId(panels, panel.id), grid: { ...panel.grid, y: bottomOf(panels) } };
                change({ ...definition, panels: [...panels, twin] });
                setParams({ selected: twin.id });
              }} />
          )}
        </div>
      ))}
    </div>
  );
}
