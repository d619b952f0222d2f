// Light, dark, or as the system has it.
import { effect, signal } from '@preact/signals';
import { store, stored } from './time';

export type Theme = 'system' | 'light' | 'dark';

function isTheme(text: string | null): text is Theme {
  return text === 'system' || text === 'light' || text === 'dark';
}

const kept = stored('lm-theme');

export const theme = signal<Theme>(isTheme(kept) ? kept : 'system');

/** Grows when colours change: pictures drawn by script are drawn again. */
export const looks = signal(0);

export function nextTheme(): void {
  theme.value = theme.value === 'system' ? 'light' : theme.value === 'light' ? 'dark' : 'system';
  store('lm-theme', theme.value);
}

// Asking the browser makes it work out all styles anew, and pictures ask with each move of the pointer.
const known = new Map<string, string>();

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  known.clear();
  looks.value = looks.peek() + 1;
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  known.clear();
  looks.value++;
});

/** A colour of the style sheet as it is now. */
export function colour(name: string): string {
  let found = known.get(name);
  if (found === undefined) known.set(name, found = ask(name));
  return found;
}

function ask(name: string): string {
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.style.setProperty('forced-color-adjust', 'none'); // pictures are told apart by their own colours
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Colours of series, after which they come again. */
export const PALETTE = 10;

export function colourOf(index: number): string {
  return colour(`s${(index % PALETTE) + 1}`);
}
