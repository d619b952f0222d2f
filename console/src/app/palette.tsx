// Ctrl+K: hosts, pages and metrics by a few letters.
import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { fleet } from '../api/agents';
import { dashboards } from '../api/dashboards';
import { get } from '../api/client';
import { visible } from '../ui/text';
import { go } from './router';

export const paletteOpen = signal(false);

interface Found {
  kind: 'page' | 'host' | 'dashboard' | 'metric';
  name: string;
  to: string;
  params?: Record<string, string>;
}

const SHOWN = 12;

function metricsLike(text: string, abort: AbortSignal): Promise<Found[]> {
  const part = text.replace(/[^a-zA-Z0-9_:]/g, '');
  if (part.length < 2) return Promise.resolve([]);
  return get<string[]>('api/v1/label/__name__/values', { 'match[]': `{__name__=~".*${part}.*"}`, limit: SHOWN }, abort)
    .then(({ data }) => data.map((name) => ({ kind: 'metric', name, to: 'explore', params: { q: name } })));
}

export function Palette({ pages }: { pages: readonly { path: string; title: string }[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [hosts, setHosts] = useState<Found[]>([]);
  const [boards, setBoards] = useState<Found[]>([]);
  const [metrics, setMetrics] = useState<Found[]>([]);
  // Before the next key: what is typed right behind Ctrl+K is for the field.
  useLayoutEffect(() => dialog.current!.showModal(), []);
  useEffect(() => {
    const abort = new AbortController();
    fleet(abort.signal).then(
      (data) => setHosts(data.agents.map((agent) => ({ kind: 'host', name: agent.agent_id, to: 'hosts/' + encodeURIComponent(agent.agent_id) }))),
      () => undefined, // pages are found all the same; the banner tells of the rest
    );
    dashboards(abort.signal).then((data) => setBoards(data.map(({ id, title }) => ({ kind: 'dashboard', name: title, to: 'd/' + id }))), () => undefined);
    return () => abort.abort();
  }, []);
  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => metricsLike(text, abort.signal).then(setMetrics, () => undefined), 200);
    return () => { clearTimeout(timer); abort.abort(); };
  }, [text]);

  const wanted = text.trim().toLowerCase();
  const all: Found[] = [...pages.map((page): Found => ({ kind: 'page', name: page.title, to: page.path })), ...hosts, ...boards];
  const found = [...all.filter((each) => each.name.toLowerCase().includes(wanted)), ...metrics].slice(0, SHOWN);
  const chosen = Math.min(at, found.length - 1);

  function open(target: Found | undefined) {
    if (target === undefined) return;
    dialog.current!.close();
    go(target.to, target.params);
  }

  return (
    <dialog ref={dialog} class="palette" aria-label="Search" onClose={() => { paletteOpen.value = false; }}>
      <input role="combobox" aria-label="Hosts, dashboards, pages and metrics" aria-expanded={found.length > 0} aria-controls="found" aria-autocomplete="list" autofocus placeholder="Hosts, dashboards, pages, metrics"
        aria-activedescendant={found.length > 0 ? `found-${chosen}` : undefined} value={text} onInput={(event) => { setText(event.currentTarget.value); setAt(0); }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, chosen + 1));
          else if (event.key === 'ArrowUp') setAt(Math.max(0, chosen - 1));
          else if (event.key === 'Enter') open(found[chosen]);
          else return;
          event.preventDefault();
        }} />
      <ul id="found" role="listbox" aria-label="Found">
        {found.map((each, index) => (
          <li key={each.kind + each.to + each.name} id={`found-${index}`} role="option" aria-selected={index === chosen} onClick={() => open(each)}>{visible(each.name)} <span class="soft">{each.kind}</span></li>
        ))}
      </ul>
      {found.length === 0 && <p class="empty">Nothing of this name.</p>}
    </dialog>
  );
}
