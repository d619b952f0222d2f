// What the collector knows of each agent and of each of its queues.
import { droppedOf, fleet, gapsOf } from '../api/agents';
import { linkTo } from '../app/router';
import { isUtc } from '../app/time';
import { StateMark } from '../overview/hosts';
import { age, bytes, count, dateTime } from '../ui/format';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { visible } from '../ui/text';
import { AdminTabs } from './tabs';

export function AdminAgents() {
  const agents = useResource('fleet', fleet);
  return (
    <>
      <AdminTabs />
      <Loaded of={agents} tall>
        {(data) => (data.agents.length === 0 ? <p class="empty">No agent has a token yet.</p> : (
          <div class="scroll" role="region" aria-label="Agents" tabIndex={0}>
            <table>
              <caption class="hidden">Agents with their queues and counters</caption>
              <thead>
                <tr>
                  <th scope="col">Agent</th><th scope="col">State</th><th scope="col">Version</th><th scope="col" class="number">Interval</th><th scope="col" class="number">Clock</th>
                  <th scope="col" class="number">Waiting</th><th scope="col" class="number">Accepted</th><th scope="col" class="number">Twice</th><th scope="col" class="number">Too old</th>
                  <th scope="col" class="number">Over limit</th><th scope="col" class="number">Dropped</th><th scope="col" class="number">Gaps</th><th scope="col">Refused</th><th scope="col">Queues</th>
                </tr>
              </thead>
              <tbody>
                {data.agents.map((agent) => (
                  <tr key={agent.agent_id}>
                    <th scope="row"><a href={linkTo('hosts/' + encodeURIComponent(agent.agent_id))}>{visible(agent.agent_id)}</a></th>
                    <td><StateMark agent={agent} /></td>
                    <td>{visible(agent.version)}</td>
                    <td class="number">{agent.interval_ms === null ? '—' : `${agent.interval_ms / 1000} s`}</td>
                    <td class={agent.clock_suspect ? 'number crit' : 'number'}>{agent.clock_skew_ms === null ? '—' : `${age(Math.abs(agent.clock_skew_ms))} ${agent.clock_skew_ms >= 0 ? 'behind' : 'ahead'}`}</td>
                    <td class="number">{agent.queue === null ? '—' : count(agent.queue.batches)}<small>{agent.queue === null ? '' : bytes(agent.queue.bytes)}</small></td>
                    <td class="number">{count(agent.accepted)}</td><td class="number">{count(agent.duplicates)}</td><td class="number">{count(agent.dropped_too_old)}</td>
                    <td class="number">{count(agent.dropped_over_limit)}</td>
                    <td class={(droppedOf(agent) ?? 0) > 0 ? 'number crit' : 'number'}>{count(droppedOf(agent))}</td>
                    <td class={gapsOf(agent).gaps > 0 ? 'number crit' : 'number'}>{count(gapsOf(agent).gaps)}</td>
                    <td>{Object.entries(agent.refused).map(([code, times]) => `${code} ${times}`).join(', ')}</td>
                    <td>
                      {agent.queues.map((queue) => (
                        <small key={queue.queue_id} title={`last batch ${dateTime(queue.last_received_ms, isUtc.value)}`}>
                          <span class="mono">{queue.queue_id.slice(0, 8)}</span> up to {count(queue.highest_seq)}, from {count(queue.floor_seq)}, {count(queue.pending)} awaited
                        </small>
                      ))}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ))}
      </Loaded>
    </>
  );
}
