// What every page stands in: rail, top bar, banners, and the dialogs that may lie over it.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { answeredAt, base, down, refreshAll, sessionEnded } from '../api/client';
import { signOut } from '../api/session';
import { SignInForm } from '../ui/signin';
import { useClock } from '../ui/states';
import { age } from '../ui/format';
import { signal } from '@preact/signals';
import { helpOpen } from './keys';
import { Palette, paletteOpen } from './palette';
import { linkTo, onLinkClick, path } from './router';
import { nextTheme, theme } from './theme';
import { TimePicker } from './timepicker';

/** The pages there are, in the rail's order. */
export const PAGES: { path: string; title: string; key: string; icon: string }[] = [
  { path: '', title: 'Overview', key: 'o', icon: 'M3 3h6v6H3zM11 3h6v6h-6zM3 11h6v6H3zM11 11h6v6h-6z' },
  { path: 'dashboards', title: 'Dashboards', key: 'd', icon: 'M3 3h14v5H3zM3 11h6v6H3zM12 11h5v6h-5z' },
  { path: 'explore', title: 'Explore', key: 'e', icon: 'M3 3v14h14M6 13l3-4 3 2 4-6' },
  { path: 'logs', title: 'Logs', key: 'l', icon: 'M3 5h14M3 9h10M3 13h14M3 17h7' },
  { path: 'events', title: 'Events', key: 'v', icon: 'M11 2 4 11h5l-1 7 8-10h-5z' },
  { path: 'admin/agents', title: 'Admin', key: 'm', icon: 'M10 7a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4' },
];

const signOutFault = signal('');

/** What the page shows of its freshness; set by pages that have something live. */
export const liveText = signal<{ text: string; stale: boolean; why?: string } | null>(null);

export function Shell({ title, hasTime, children }: { title: string; hasTime: boolean; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} · Lightmetrics`;
  }, [title]);
  useEffect(() => {
    if (!first.current) heading.current?.focus({ preventScroll: true }); // tells screen readers that another page is there
    first.current = false;
  }, [path.value]);

  return (
    <div class="shell" onClick={onLinkClick}>
      <a class="skip" href="#main">Skip to the content</a>
      <nav class="rail" aria-label="Pages">
        <a class="brand" href={linkTo('')}>Lightmetrics</a>
        <ul>
          {PAGES.map((page) => (
            <li key={page.path}>
              <a href={linkTo(page.path)} aria-current={isCurrent(page.path) ? 'page' : undefined}>
                <svg viewBox="0 0 20 20" aria-hidden="true"><path d={page.icon} /></svg>
                <span>{page.title}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div class="body">
        <header class="top">
          <h1 ref={heading} tabIndex={-1}>{title}</h1>
          {hasTime && <TimePicker />}
          <div class="account">
            {liveText.value && <span class={liveText.value.stale ? 'freshness stale' : 'freshness'} id="freshness" title={liveText.value.why}>{liveText.value.text}{liveText.value.why !== undefined && <span class="hidden">. {liveText.value.why}</span>}</span>}
            <button type="button" class="plain" aria-keyshortcuts="Control+K" onClick={() => { paletteOpen.value = true; }}>Search</button>
            <button type="button" class="plain" onClick={nextTheme} aria-label={`Theme: ${theme.value}`}>{theme.value === 'dark' ? '☾' : theme.value === 'light' ? '☀' : '◐'}</button>
            <button type="button" class="plain" onClick={leave}>Sign out</button>
          </div>
        </header>
        <Banner />
        <main id="main" tabIndex={-1}>{children}</main>
      </div>
      {sessionEnded.value && <SessionDialog />}
      {helpOpen.value && <Help />}
      {paletteOpen.value && !sessionEnded.value && <Palette pages={PAGES} />}
    </div>
  );
}

function isCurrent(page: string): boolean {
  const here = path.value;
  if (page === '') return here === '' || here.startsWith('hosts/');
  if (page === 'dashboards') return here === page || here.startsWith('d/');
  return here === page || here.startsWith(page.split('/')[0]! + '/');
}

async function leave() {
  if (await signOut()) location.replace(base + 'login');
  else signOutFault.value = 'Not signed out: the collector cannot be reached. Try again.';
}

function Banner() {
  const reason = down.value;
  return (
    <div class="banner" role="alert">
      {signOutFault.value !== '' && <p>{signOutFault}</p>}
      {reason !== null && (
        <p>
          No new data: {reason}. {answeredAt.value === null ? 'Trying again.' : 'What you see is from the last answer; trying again.'}
          {answeredAt.value !== null && <SinceAnswer at={answeredAt.value} />}
        </p>
      )}
    </div>
  );
}

// Hidden from screen readers: a banner that changes every second would be read every second.
function SinceAnswer({ at }: { at: number }) {
  return <span aria-hidden="true" class="since" data-since={age(useClock() - at)} />;
}

function SessionDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const node = dialog.current!;
    node.showModal();
    return () => node.close(); // before it goes: closing gives the focus back to where it was
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="ended" onCancel={(event) => event.preventDefault()}>
      <h2 id="ended">Your session has ended</h2>
      <p>Sign in again to go on; this page stays as it is.</p>
      <SignInForm done={() => { sessionEnded.value = false; refreshAll(); }} />
    </dialog>
  );
}

function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current!.showModal();
  }, []);
  const rows: [string, string][] = [
    ...PAGES.map((page): [string, string] => [`g ${page.key}`, page.title]),
    ['Ctrl+K', 'Hosts, pages and metrics'], ['/', 'Filter or query field'], ['t', 'Time range'], ['r', 'Refresh'], ['Ctrl+Enter', 'Run the query'], ['?', 'This list'], ['Esc', 'Close'],
    ['← →, Shift+← →', 'On a chart: move the cursor'], ['+ −', 'On a chart: zoom'], ['d', 'On a chart: data table'],
  ];
  return (
    <dialog ref={dialog} aria-labelledby="keys" onClose={() => { helpOpen.value = false; }}>
      <h2 id="keys">Keys</h2>
      <table class="keys"><tbody>{rows.map(([key, what]) => <tr key={key}><th scope="row"><kbd>{key}</kbd></th><td>{what}</td></tr>)}</tbody></table>
      <form method="dialog"><button type="submit">Close</button></form>
    </dialog>
  );
}
