import { expect, it, vi } from 'vitest';
import type { Agent } from '../api/agents';

vi.stubGlobal('window', { addEventListener: () => undefined });
vi.stubGlobal('location', { pathname: '/', search: '', origin: 'http://localhost' });
vi.stubGlobal('document', { addEventListener: () => undefined, hidden: false });
vi.stubGlobal('setInterval', () => 0);

const { compare, matches } = await import('./hosts');
const { groupings, groupsOf } = await import('./groups');

function agent(agent_id: string, state: Agent['state'], cpu: number | null): Agent {
  return { agent_id, state, version: '0.1.0', queues: [], queue: null, last_seen_age_ms: null, current: { cpu_busy_ratio: cpu } } as unknown as Agent;
}

const agents = [agent('b', 'up', 0.5), agent('a', 'down', null), agent('c', 'late', 0.9)];
const order = (sort: string) => [...agents].sort(compare(sort)).map((each) => each.agent_id).join('');

it('hosts are sorted by any column, worst state first, and without a value last', () => {
  expect(order('host')).toBe('abc');
  expect(order('-host')).toBe('cba');
  expect(order('state')).toBe('acb');
  expect(order('cpu')).toBe('bca');
  expect(order('-cpu')).toBe('cba');
  expect(order('no such column')).toBe('abc');
});

it('a filter looks for every word in name and version', () => {
  expect(agents.filter((each) => matches(each, 'A 0.1', '')).map((each) => each.agent_id)).toEqual(['a']);
  expect(agents.filter((each) => matches(each, '', 'late')).map((each) => each.agent_id)).toEqual(['c']);
});

it('hosts are grouped by a label, the worst state first, and found by it', () => {
  const labels = new Map<string, Record<string, string>>([['a', { site: 'lab' }], ['b', { site: 'lab' }], ['c', { site: 'hall', rack: '7' }]]);
  expect(groupings(labels)).toEqual(['state', 'version', 'rack', 'site']);
  const groups = groupsOf(agents, 'site', labels).map(({ value, agents: hosts, worst, states }) => [value, hosts.map((each) => each.agent_id).join(''), worst.state, states.map(({ state, hosts: many }) => `${many} ${state}`).join(' ')]);
  expect(groups).toEqual([['lab', 'ba', 'down', '1 down 1 up'], ['hall', 'c', 'late', '1 late']]);
  expect(groupsOf(agents, 'rack', labels).map(({ value }) => value)).toEqual(['', '7']);
  expect(agents.filter((each) => matches(each, 'site=hall', '', labels.get(each.agent_id))).map((each) => each.agent_id)).toEqual(['c']);
});
