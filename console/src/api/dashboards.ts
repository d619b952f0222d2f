// Dashboards of the collector.
import { get, json, send } from './client';
import type { Definition } from '../dashboards/model';

export interface Listed {
  id: string;
  title: string;
  origin: 'builtin' | 'file' | 'console';
  file: string | null;
  etag: string;
  description: string;
  tags: string[];
  panels: number;
}

export interface Stored {
  id: string;
  title: string;
  origin: Listed['origin'];
  file: string | null;
  etag: string;
  toml: string;
  definition: Definition;
}

export const ORIGINS: Record<Listed['origin'], string> = { builtin: 'built in', file: 'file', console: 'saved here' };

export async function dashboards(abort?: AbortSignal): Promise<Listed[]> {
  return (await get<Listed[]>('api/v1/dashboards', {}, abort)).data;
}

function pathOf(id: string): string {
  return 'api/v1/dashboards/' + encodeURIComponent(id);
}

export async function dashboard(id: string, abort?: AbortSignal): Promise<Stored> {
  return (await get<Stored>(pathOf(id), {}, abort)).data;
}

/** Has a definition read and checked; nothing is saved. */
export async function check(toml: string, abort?: AbortSignal): Promise<Definition> {
  const answer = await send('api/v1/dashboards', { method: 'POST', headers: { 'Content-Type': 'application/toml' }, body: toml }, json<{ definition: Definition }>, abort);
  return answer.data!.definition;
}

/** Saves a definition in the place of the one that was read; without its tag only where there is none. */
export async function save(id: string, toml: string, etag: string | null): Promise<string> {
  const condition: Record<string, string> = etag === null ? { 'If-None-Match': '*' } : { 'If-Match': etag };
  const answer = await send(pathOf(id), { method: 'PUT', headers: { 'Content-Type': 'application/toml', ...condition }, body: toml }, json<{ etag: string }>);
  return answer.data!.etag;
}

export async function remove(id: string, etag: string): Promise<void> {
  await send(pathOf(id), { method: 'DELETE', headers: { 'If-Match': etag } }, (answer) => answer.text());
}
