import './style.css';
import './ui/generations';
import { render } from 'preact';
import { ADMIN_PAGES } from './admin/tabs';
import { listenForKeys } from './app/keys';
import { later } from './app/later';
import { path } from './app/router';
import { PAGES, Shell } from './app/shell';
import './app/theme';
import { Dashboards } from './dashboards/list';
import { dashboardTitle } from './dashboards/title';
import { Events } from './events/page';
import { Logs } from './logs/page';
import { Overview } from './overview/overview';
import { listenForMenus } from './ui/menus';
import { visible } from './ui/text';

// Overview, lists of dashboards, lines and events are there at once; what draws charts, and administration, when one goes there.
const Host = later(async () => (await import('./host/host')).Host);
const DashboardPage = later(async () => (await import('./dashboards/page')).DashboardPage);
const Explore = later(async () => (await import('./explore/page')).Explore);
const AdminPage = later(async () => (await import('./admin/page')).AdminPage);

function App() {
  const here = path.value;
  if (here.startsWith('hosts/')) {
    const id = decoded(here.slice(6));
    return <Shell title={visible(id)} hasTime><Host key={id} id={id} /></Shell>;
  }
  if (here.startsWith('d/')) {
    const id = decoded(here.slice(2));
    return <Shell title={dashboardTitle.value} hasTime><DashboardPage key={id} id={id} /></Shell>;
  }
  const admin = ADMIN_PAGES.find(([to]) => to === here);
  if (admin !== undefined) return <Shell title={admin[1]} hasTime={false}><AdminPage name={here.slice(6)} /></Shell>;
  switch (here) {
    case '': return <Shell title="Overview" hasTime={false}><Overview /></Shell>;
    case 'dashboards': return <Shell title="Dashboards" hasTime={false}><Dashboards /></Shell>;
    case 'explore': return <Shell title="Explore" hasTime><Explore /></Shell>;
    case 'logs': return <Shell title="Logs" hasTime><Logs /></Shell>;
    case 'events': return <Shell title="Events" hasTime><Events /></Shell>;
    default: return <Shell title="Nothing here" hasTime={false}><p class="empty">There is no page at this address. The rail lists those there are.</p></Shell>;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray % that somebody typed
  }
}

listenForKeys(PAGES);
listenForMenus();

// A part of the console that is no longer there: the collector was upgraded under this tab.
window.addEventListener('vite:preloadError', (event) => {
  event.preventDefault();
  document.body.dataset.updated = 'yes';
});

render(<App />, document.getElementById('app')!);
