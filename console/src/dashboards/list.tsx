// Every dashboard there is.
import { useSignal } from '@preact/signals';
import { dashboards, ORIGINS } from '../api/dashboards';
import { go, linkTo, query as params, setParams } from '../app/router';
import { store, stored } from '../app/time';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { visible } from '../ui/text';
import { drafts, setDraft } from './drafts';
import { freeId } from './layout';

const STARS = 'lm-stars';

export function Dashboards() {
  const all = useResource('dashboards', dashboards);
  const stars = useSignal(new Set((stored(STARS) ?? '').split(' ').filter((id) => id !== '')));
  const wanted = (params.value.get('find') ?? '').toLowerCase();

  function star(id: string) {
    const next = new Set(stars.peek());
    if (!next.delete(id)) next.add(id);
    stars.value = next;
    store(STARS, [...next].join(' '));
  }

  function create() {
    const id = freeId([...(all.data.peek() ?? []), ...Object.keys(drafts.peek()).map((each) => ({ id: each }))], 'dashboard');
    setDraft(id, { definition: { version: 1, id, title: 'New dashboard', panels: [] }, etag: null });
    go('d/' + id, { edit: '1' });
  }

  return (
    <>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label class="hidden" for="find">Find dashboards</label>
        <input id="find" data-search type="search" placeholder="Title or tag" value={params.value.get('find') ?? ''} onInput={(event) => setParams({ find: event.currentTarget.value || null })} />
        <button type="button" class="plain" onClick={create}>New dashboard</button>
      </form>
      <Loaded of={all} tall>
        {(data) => {
          const unsaved = Object.entries(drafts.value).filter(([id]) => !data.some((each) => each.id === id));
          const found = data.filter(({ title, tags, description }) => wanted === '' || [title, description, ...tags].some((text) => text.toLowerCase().includes(wanted)))
            .sort((a, b) => Number(stars.value.has(b.id)) - Number(stars.value.has(a.id)));
          return <>{unsaved.length > 0 && <p class="soft">Not saved, in this tab: {unsaved.map(([id, { definition }], index) => <>{index > 0 && ', '}<a key={id} href={linkTo('d/' + id, { edit: '1' })}>{visible(definition.title)}</a></>)}</p>}{found.length === 0
            ? <p class="empty">No dashboard has this in title, description or tags. <button type="button" class="plain" onClick={() => setParams({ find: null })}>Show all</button></p>
            : (
              <div class="scroll" role="region" aria-label="Dashboards" tabIndex={0}>
                <table class="wide-text">
                  <caption class="hidden">Dashboards</caption>
                  <thead><tr><th scope="col">Star</th><th scope="col">Title</th><th scope="col">Origin</th><th scope="col">Tags</th><th scope="col" class="number">Panels</th><th scope="col">Description</th></tr></thead>
                  <tbody>
                    {found.map((each) => (
                      <tr key={each.id}>
                        <td><button type="button" class="sort" aria-pressed={stars.value.has(each.id)} aria-label={`Star ${visible(each.title)}`} onClick={() => star(each.id)}>{stars.value.has(each.id) ? '★' : '☆'}</button></td>
                        <th scope="row"><a href={linkTo('d/' + each.id)}>{visible(each.title)}</a></th>
                        <td>{ORIGINS[each.origin]}{each.file !== null && <small>{visible(each.file)}</small>}</td>
                        <td>{each.tags.map((tag) => <button key={tag} type="button" class="plain small" onClick={() => setParams({ find: tag }, 'push')}>{visible(tag)}</button>)}</td>
                        <td class="number">{each.panels}</td>
                        <td>{visible(each.description)}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}</>;
        }}
      </Loaded>
    </>
  );
}
