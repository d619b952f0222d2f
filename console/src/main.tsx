import './style.css';
import './ui/generations';
import { render } from 'preact';
import { About } from './admin/about';
import { AdminAgents } from './admin/agents';
import { AdminConfig } from './admin/config';
import { AdminLanding } from './admin/landing';
import { AdminRetention } from './admin/retention';
import { AdminSessions } from './admin/sessions';
import { listenForKeys } from './app/keys';
import { path } from './app/router';
import { PAGES, Shell } from './app/shell';
import './app/theme';
import { Dashboards } from './dashboards/list';
import { DashboardPage, dashboardTitle } from './dashboards/page';
import { Events } from './events/page';
import { Explore } from './explore/page';
import { Host } from './host/host';
import { Logs } from './logs/page';
import { Overview } from './overview/overview';
import { listenForMenus } from './ui/menus';
import { visible } from './ui/text';

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
  switch (here) {
    case '': return <Shell title="Overview" hasTime={false}><Overview /></Shell>;
    case 'dashboards': return <Shell title="Dashboards" hasTime={false}><Dashboards /></Shell>;
    case 'explore': return <Shell title="Explore" hasTime><Explore /></Shell>;
    case 'logs': return <Shell title="Logs" hasTime><Logs /></Shell>;
    case 'events': return <Shell title="Events" hasTime><Events /></Shell>;
    case 'admin/agents': return <Shell title="Agents" hasTime={false}><AdminAgents /></Shell>;
    case 'admin/landing': return <Shell title="Landing" hasTime={false}><AdminLanding /></Shell>;
    case 'admin/retention': return <Shell title="Retention" hasTime={false}><AdminRetention /></Shell>;
    case 'admin/config': return <Shell title="Configuration" hasTime={false}><AdminConfig /></Shell>;
    case 'admin/sessions': return <Shell title="Sessions" hasTime={false}><AdminSessions /></Shell>;
    case 'admin/about': return <Shell title="About" hasTime={false}><About /></Shell>;
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
