// A field for PromQL: plain at once, with highlighting and completion when the editor is there.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Editor } from './editor';

export function QueryField({ value, label, changed, run }: { value: string; label: string; changed: (text: string) => void; run: () => void }) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const latest = useRef({ value, changed, run });
  latest.current = { value, changed, run };
  // What the editor told and the page has not yet given back: keys may be faster than the page, and its old text must not undo them.
  const told = useRef<string[]>([]);
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let gone = false;
    import('./editor').then(({ makeEditor }) => {
      if (gone || host.current === null) return;
      editor.current = makeEditor(host.current, latest.current.value, label, (text) => { told.current.push(text); latest.current.changed(text); }, () => latest.current.run());
      // The key that leads to a page's field finds this element, which cannot take the focus itself. Not by a focus event: each focus within would raise one.
      host.current.focus = () => editor.current?.focus();
      setReady(true);
    }, () => {
      // The plain field stays; that the console was updated is said above the page.
    });
    return () => {
      gone = true;
      editor.current?.destroy();
      editor.current = null;
    };
  }, []);
  useEffect(() => {
    const at = told.current.indexOf(value);
    if (at >= 0) told.current.splice(0, at + 1);
    else if (editor.current !== null) {
      editor.current.set(value);
      told.current = [];
    }
  }, [value, ready]);

  return (
    <div class="grow">
      <div ref={host} class="editor" hidden={!ready} data-search />
      {!ready && (
        <textarea class="mono" rows={1} aria-label={label} spellcheck={false} value={value} onInput={(event) => changed(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); } }} />
      )}
    </div>
  );
}
