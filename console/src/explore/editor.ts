// The PromQL editor: CodeMirror in a shadow root, where its styles are constructed sheets that the content security policy allows. Loaded only where a
// query is edited.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { complete } from './names';

const look = EditorView.theme({
  '&': { fontSize: '14px', color: 'var(--text)', backgroundColor: 'var(--card)', border: '1px solid var(--line)', borderRadius: '6px' },
  '&.cm-focused': { outline: '3px solid var(--accent)' },
  '.cm-content': { fontFamily: 'ui-monospace, monospace', padding: '8px 4px', caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-placeholder': { color: 'var(--soft)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--accent-back)' },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--card)', border: '1px solid var(--line)', maxWidth: '90vw' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { maxWidth: 'min(26em, 85vw)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--accent-text)', backgroundColor: 'var(--accent)' },
  // The squiggle would be a data: picture, which the policy stops.
  '.cm-lintRange-error, .cm-lintRange-warning, .cm-lintRange-info': { backgroundImage: 'none', textDecoration: 'underline wavy var(--down)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-back)', outline: '1px solid var(--line)' },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--s5)' },
  { tag: [tags.function(tags.variableName)], color: 'var(--s9)' },
  { tag: [tags.string], color: 'var(--s3)' },
  { tag: [tags.number], color: 'var(--s2)' },
  { tag: [tags.labelName], color: 'var(--s4)' },
  { tag: [tags.comment], color: 'var(--soft)', fontStyle: 'italic' },
  { tag: tags.invalid, color: 'var(--down)' },
]);

export interface Editor {
  text(): string;
  set(text: string): void;
  focus(): void;
  destroy(): void;
}

/** Puts an editor into an element. */
export function makeEditor(host: HTMLElement, text: string, label: string, changed: (text: string) => void, run: () => void): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const promql = new PromQLExtension().setComplete({ completeStrategy: { promQL: complete } });
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        history(), bracketMatching(), closeBrackets(), autocompletion(), syntaxHighlighting(colours), look, EditorView.lineWrapping, placeholder('PromQL, as rate(node_load1[5m])'),
        promql.asExtension(),
        EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
        EditorView.updateListener.of((update) => { if (update.docChanged) changed(update.state.doc.toString()); }),
        Prec.highest(keymap.of([{ key: 'Mod-Enter', run: () => { run(); return true; } }])),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    set: (next) => {
      if (next !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: next } });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
