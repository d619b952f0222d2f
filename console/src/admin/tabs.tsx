import { linkTo, path } from '../app/router';

export const ADMIN_PAGES = [['admin/agents', 'Agents'], ['admin/landing', 'Landing'], ['admin/retention', 'Retention'], ['admin/config', 'Configuration'], ['admin/sessions', 'Sessions'], ['admin/about', 'About']] as const;

export function AdminTabs() {
  return (
    <nav class="tabs" aria-label="Administration">
      {ADMIN_PAGES.map(([to, title]) => <a key={to} class="tab" href={linkTo(to)} aria-current={path.value === to ? 'page' : undefined}>{title}</a>)}
    </nav>
  );
}
