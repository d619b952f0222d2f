// The address is the state: path and parameters as signals, written back on every change. Edits replace, steps push.
import { computed, signal } from '@preact/signals';
import { base } from '../api/client';

const here = signal(read());

function read(): { path: string; query: URLSearchParams } {
  const path = location.pathname.startsWith(base) ? location.pathname.slice(base.length) : '';
  return { path: path.replace(/\/+$/, ''), query: new URLSearchParams(location.search) };
}

window.addEventListener('popstate', () => {
  here.value = read();
});

/** The page's path under the base path, as `hosts/web1`. */
export const path = computed(() => here.value.path);

/** The address' parameters. */
export const query = computed(() => here.value.query);

/** Parameters that every page understands: they stay when one goes from page to page. */
const COMMON = ['from', 'to', 'tz', 'refresh'];

type Changes = Record<string, string | readonly string[] | null>;

function apply(target: URLSearchParams, changes: Changes): void {
  for (const [name, value] of Object.entries(changes)) {
    target.delete(name);
    if (value === null) continue;
    for (const each of typeof value === 'string' ? [value] : value) target.append(name, each);
  }
}

function address(to: string, target: URLSearchParams): string {
  const text = target.toString();
  return base + to + (text === '' ? '' : '?' + text);
}

/** The address of another page, with the time range of this one. */
export function linkTo(to: string, params: Changes = {}): string {
  const target = new URLSearchParams();
  for (const name of COMMON) {
    const value = query.value.get(name);
    if (value !== null) target.set(name, value);
  }
  apply(target, params);
  return address(to, target);
}

/** Goes to another page. */
export function go(to: string, params: Changes = {}): void {
  history.pushState(null, '', linkTo(to, params));
  here.value = read();
  window.scrollTo(0, 0);
}

/** Changes parameters of this page; null takes one away. */
export function setParams(changes: Changes, step: 'push' | 'replace' = 'replace'): void {
  const target = new URLSearchParams(query.value);
  apply(target, changes);
  const next = address(path.value, target);
  if (next === location.pathname + location.search) return;
  if (step === 'push') history.pushState(null, '', next);
  else history.replaceState(null, '', next);
  here.value = read();
}

/** Follows links within the console without loading the page again. */
export function onLinkClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element).closest('a');
  if (link === null || link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return;
  if (!link.pathname.startsWith(base) || link.dataset.external !== undefined || (link.hash !== '' && link.pathname === location.pathname)) return;
  event.preventDefault();
  history.pushState(null, '', link.pathname + link.search);
  here.value = read();
  window.scrollTo(0, 0);
}
