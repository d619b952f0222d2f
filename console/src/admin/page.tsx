// The pages of administration, in a file of their own.
import { About } from './about';
import { AdminAgents } from './agents';
import { AdminConfig } from './config';
import { AdminLanding } from './landing';
import { AdminRetention } from './retention';
import { AdminSessions } from './sessions';

const PAGES: Record<string, () => preact.JSX.Element> = { agents: AdminAgents, landing: AdminLanding, retention: AdminRetention, config: AdminConfig, sessions: AdminSessions, about: About };

/** One of them, by the last part of its address. */
export function AdminPage({ name }: { name: string }) {
  const Page = PAGES[name];
  return Page === undefined ? null : <Page key={name} />;
}
