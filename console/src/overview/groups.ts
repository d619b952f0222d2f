// Hosts by what they have in common: a label of their settings, their state, their version.
import { type Agent, type State, STATES } from '../api/agents';
import { get } from '../api/client';
import type { Labels } from '../api/prom';

/** Labels by host: those that `[labels]` of its agent adds to every series. */
export type HostLabels = ReadonlyMap<string, Labels>;

/** Labels of hosts that were heard of within this time. */
const HEARD_MS = 86_400_000;
const HOSTS_MAX = 20_000;

/** What every host has without having been given it. */
const OWN: Record<string, (agent: Agent) => string> = {
  state: (agent) => STATES[agent.state]?.word ?? agent.state,
  version: (agent) => agent.version,
};

/** Asks for all hosts' labels at once: each of them sends this series. */
export async function labelsOfHosts(abort: AbortSignal): Promise<HostLabels> {
  const now = Date.now();
  const { data } = await get<Labels[]>('api/v1/series', { 'match[]': 'lmagent_up{job="lightmetrics"}', start: (now - HEARD_MS) / 1000, end: now / 1000, limit: HOSTS_MAX }, abort);
  return new Map(data.map(({ __name__: _, job: __, instance = '', ...labels }) => [instance, labels]));
}

/** What one can group by. */
export function groupings(labels: HostLabels): string[] {
  const names = new Set<string>();
  for (const each of labels.values()) Object.keys(each).forEach((name) => names.add(name));
  return [...Object.keys(OWN), ...[...names].filter((name) => !(name in OWN)).sort()];
}

export interface Group {
  /** Empty where its hosts have none. */
  value: string;
  agents: Agent[];
  /** An agent of the worst state. */
  worst: Agent;
  /** How many of each state, the worst first. */
  states: { state: State; hosts: number }[];
}

/** Groups in the order of their worst state, then of their value; hosts keep theirs. */
export function groupsOf(agents: readonly Agent[], by: string, labels: HostLabels): Group[] {
  const own = OWN[by];
  const groups = new Map<string, Agent[]>();
  for (const agent of agents) {
    const value = own === undefined ? labels.get(agent.agent_id)?.[by] ?? '' : own(agent);
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [agent]);
    else group.push(agent);
  }
  const rank = ({ state }: Agent) => STATES[state]?.rank ?? 0;
  return [...groups].map(([value, members]) => ({
    value, agents: members, worst: members.reduce((worst, agent) => (rank(agent) < rank(worst) ? agent : worst)), states: statesOf(members),
  })).sort((a, b) => rank(a.worst) - rank(b.worst) || a.value.localeCompare(b.value, 'en', { numeric: true }));
}

/** How many of each state there are, the worst first. */
export function statesOf(agents: readonly Agent[]): { state: State; hosts: number }[] {
  return (Object.keys(STATES) as State[]).map((state) => ({ state, hosts: agents.filter((agent) => agent.state === state).length }))
    .filter(({ hosts }) => hosts > 0).sort((a, b) => STATES[a.state].rank - STATES[b.state].rank);
}
