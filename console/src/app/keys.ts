// Single keys, where no field has the focus.
import { signal } from '@preact/signals';
import { paletteOpen } from './palette';
import { go } from './router';
import { refreshNow } from './time';

export const helpOpen = signal(false);

let prefixAt = 0;

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select, [role="textbox"], .editor'));
}

/** Listens for the console's keys. */
export function listenForKeys(pages: readonly { path: string; key: string }[]): void {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'k' && document.querySelector('dialog[open]') === null) {
      event.preventDefault();
      paletteOpen.value = true;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isField(event.target) || document.querySelector('dialog[open]') !== null) return;
    if (performance.now() - prefixAt < 1500) {
      prefixAt = 0;
      const page = pages.find((each) => each.key === event.key);
      if (page) {
        event.preventDefault();
        go(page.path);
        return;
      }
    }
    const action = ACTIONS[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
}

const ACTIONS: Record<string, () => void> = {
  g: () => { prefixAt = performance.now(); },
  t: () => document.getElementById('time')?.click(),
  r: refreshNow,
  '?': () => { helpOpen.value = true; },
  '/': () => document.querySelector<HTMLElement>('[data-search]')?.focus(),
};
