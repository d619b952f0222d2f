// The logs page: a query and what it finds.
import { useEffect, useRef } from 'preact/hooks';
import { query as params, setParams } from '../app/router';
import { withFilter } from './query';
import { LogView } from './view';

export const ALL = '{instance=~".+"}';

export function Logs() {
  const query = params.value.get('q') ?? ALL;
  return (
    <>
      <QueryForm query={query} run={(text) => setParams({ q: text, line: null }, 'push')} />
      <LogView query={query} showHost empty="No line matches in this time range."
        filter={(name, value, keep) => { const next = withFilter(query, name, value, keep); if (next !== null) setParams({ q: next }, 'push'); }} />
    </>
  );
}

export function QueryForm({ query, run }: { query: string; run: (text: string) => void }) {
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current!.value = query;
  }, [query]);
  return (
    <form class="query" onSubmit={(event) => { event.preventDefault(); run(field.current!.value.trim() || ALL); }}>
      <label class="hidden" for="logql">LogQL query</label>
      <textarea ref={field} id="logql" data-search class="mono" rows={1} spellcheck={false} defaultValue={query}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey || !event.shiftKey)) {
            event.preventDefault();
            event.currentTarget.form!.requestSubmit();
          }
        }} />
      <button type="submit">Run</button>
    </form>
  );
}
