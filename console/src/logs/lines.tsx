// A list of lines, and all that is known of the one that is open.
import { useMemo, useRef } from 'preact/hooks';
import type { Entry } from '../api/logs';
import { query as params, setParams } from '../app/router';
import { Details } from './details';
import { LogList, type RowList } from './list';

export interface LogViewProps {
  query: string;
  filter: (name: string, value: string, keep: boolean) => void;
  showHost: boolean;
  /** What stands there when nothing is found. */
  empty: string;
}

export function Lines({ rows, find, query, filter, showHost, atEnd, onTop, isLive }: {
  rows: RowList; find: (id: string) => Entry | null; query: string; filter: LogViewProps['filter']; showHost: boolean; atEnd?: () => void; onTop?: (isTop: boolean) => void; isLive?: boolean;
}) {
  const id = params.value.get('line');
  const isWrap = params.value.get('wrap') === '1';
  const open = useMemo(() => (id === null ? null : find(id)), [id, rows]);
  const box = useRef<HTMLDivElement>(null);
  const close = () => {
    setParams({ line: null });
    box.current?.querySelector<HTMLElement>('.lines')?.focus();
  };
  return (
    <div ref={box} class="lines-box" onKeyDown={(event) => { if (event.key === 'Escape' && open !== null && !event.defaultPrevented) { event.preventDefault(); close(); } }}>
      <LogList key={String(isWrap)} rows={rows} wrap={isWrap} showHost={showHost} selected={id} select={(entry) => setParams({ line: entry?.id ?? null })} atEnd={atEnd} onTop={onTop} isLive={isLive} label="Lines" />
      {open !== null && <Details key={open.id} entry={open} query={query} filter={filter} close={close} />}
    </div>
  );
}
