// Preact leaves the children of what it drew before where they were. Where the elements of a parent that is not drawn again keep the first of them alive, each
// generation holds the next, and a page that refreshes for hours keeps all of them (300 KB with each refresh of a dashboard). Here the old ones let go.
import { type Component, options, type VNode } from 'preact';

/** The names that Preact's build gives to a node's component and children; @preact/signals goes by them, too. */
interface Drawn extends VNode {
  __c?: Component | null;
  __k?: unknown;
}

const latest = new WeakMap<Component, Drawn>();
let old: Drawn[] = [];

function letGo(): void {
  for (const node of old) node.__k = null;
  old = [];
}

const before = options.diffed;

options.diffed = (vnode: VNode) => {
  before?.(vnode);
  const node = vnode as Drawn;
  if (typeof node.type !== 'function' || !node.__c) return;
  const known = latest.get(node.__c);
  if (known === node) return;
  latest.set(node.__c, node);
  // Not at once: the parent compares the two when it puts them in their place.
  if (known !== undefined && old.push(known) === 1) queueMicrotask(letGo);
};
