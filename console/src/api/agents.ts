// What /api/v1/agents says.
import { get } from './client';

export type State = 'up' | 'late' | 'down' | 'never' | 'unseen';

export interface Agent {
  agent_id: string;
  state: State;
  last_seen: string | null;
  last_seen_ms: number | null;
  last_seen_age_ms: number | null;
  last_batch_ms: number | null;
  version: string;
  interval_ms: number | null;
  clock_skew_ms: number | null;
  clock_suspect: boolean;
  backlog: boolean;
  accepted: number;
  duplicates: number;
  dropped_too_old: number;
  dropped_over_limit: number;
  refused: Record<string, number>;
  queue: { batches: number; bytes: number; oldest_ms: number | null; dropped: number; rejected: number } | null;
  queues: { queue_id: string; highest_seq: number; floor_seq: number; accepted: number; gaps: number; pending: number; intervals: number; last_received_ms: number }[];
  current: {
    at_ms: number | null;
    load1: number | null;
    memory_used_ratio: number | null;
    cpu_busy_ratio: number | null;
    disk_used_ratio: number | null;
    disk_mount: string | null;
    network_receive_bytes_per_second: number | null;
    network_transmit_bytes_per_second: number | null;
  };
}

export interface Fleet {
  now_ms: number;
  notices: string[];
  agents: Agent[];
}

export async function fleet(abort: AbortSignal): Promise<Fleet> {
  return (await get<Fleet>('api/v1/agents', {}, abort)).data;
}

/** Icon, word and class each say the state: none of them alone. */
export const STATES: Record<State, { icon: string; word: string; rank: number }> = {
  down: { icon: '■', word: 'down', rank: 0 },
  late: { icon: '▲', word: 'late', rank: 1 },
  never: { icon: '○', word: 'no data yet', rank: 2 },
  unseen: { icon: '◇', word: 'never seen', rank: 3 },
  up: { icon: '●', word: 'up', rank: 4 },
};

/** Sums over an agent's queues. */
export function gapsOf(agent: Agent): { gaps: number; pending: number } {
  return {
    gaps: agent.queues.reduce((sum, queue) => sum + queue.gaps, 0),
    pending: agent.queues.reduce((sum, queue) => sum + queue.pending, 0),
  };
}

export function droppedOf(agent: Agent): number | null {
  return agent.queue === null ? null : agent.queue.dropped + agent.queue.rejected;
}
