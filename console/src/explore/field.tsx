// A field for PromQL: plain at once, with highlighting and completion when the editor is there.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Editor } from './editor';

export function QueryField({ value, label, changed, run }: { value: string; label: string; changed: (text: string) => void; run: () => void }) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const latest = useRef({ value, changed, run });
  latest.current = { value, changed, run };
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let gone = false;
    import('./editor').then(({ makeEditor }) => {
      if (gone || host.current === null) return;
      editor.current = makeEditor(host.current, latest.current.value, label, (text) => latest.current.changed(text), () => latest.current.run());
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
    editor.current?.set(value);
  }, [value, ready]);

  return (
    <div class="grow">
      <div ref={host} class="editor" hidden={!ready} data-search tabIndex={-1} onFocus={() => editor.current?.focus()} />
      {!ready && (
        <textarea class="mono" rows={1} aria-label={label} spellcheck={false} value={value} onInput={(event) => changed(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); } }} />
      )}
    </div>
  );
}
