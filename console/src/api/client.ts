// Every request to the collector goes through here: it knows where the collector is, whether it answers, and whether the session is still good.
import { signal } from '@preact/signals';

/** The folder above the assets: the collector's base path. */
export const base = new URL(/* @vite-ignore */ '../', import.meta.url).pathname;

const TIMEOUT_MS = 30_000;
const AT_ONCE = 4;

/** What the collector said was wrong, or that it said nothing. */
export class ApiFault extends Error {
  constructor(message: string, readonly status: number, readonly type: string) {
    super(message);
  }
}

/** Why there is no answer now; null while there is. */
export const down = signal<string | null>(null);

/** performance.now() of the last answer. */
export const answeredAt = signal<number | null>(null);

/** Whether the collector no longer takes this browser's session. */
export const sessionEnded = signal(false);

/** Grows when everything on the page should be asked for again. */
export const refreshes = signal(0);

export function refreshAll(): void {
  refreshes.value++;
}

export interface Answer<T> {
  data: T;
  warnings: string[];
  infos: string[];
}

export type Params = Record<string, string | number | undefined | readonly string[]>;

export function queryOf(params: Params): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  return query;
}

// Browsers open six connections to one origin; the live stream and the next click need two of them.
let running = 0;
const waiting: (() => void)[] = [];

async function enter(abort: AbortSignal | undefined): Promise<void> {
  if (running >= AT_ONCE) {
    await new Promise<void>((go, stop) => {
      const turn = () => {
        abort?.removeEventListener('abort', giveUp);
        go();
      };
      const giveUp = () => {
        const at = waiting.indexOf(turn);
        if (at < 0) return;
        waiting.splice(at, 1);
        stop(abort?.reason);
      };
      waiting.push(turn);
      abort?.addEventListener('abort', giveUp, { once: true });
    });
  }
  running++;
}

function leave(): void {
  running--;
  waiting.shift()?.();
}

function noteUnreachable(message: string): void {
  if (down.value === null) probe(1000);
  down.value = message;
}

let requests = 0;

// While it is away one small request asks again and again, and the page's own follow once it is back. Only an answer to one of them ends the trouble: a
// collector that is healthy and fails them is no better than one that is away.
function probe(delay: number): void {
  const again = () => probe(Math.min(15_000, delay * 2) * (0.8 + Math.random() * 0.4));
  setTimeout(async () => {
    if (down.value === null) return;
    const isBack = await fetch(base + 'healthz', { cache: 'no-store', signal: AbortSignal.timeout(5000) }).then((answer) => answer.ok, () => false);
    if (!isBack) {
      again();
      return;
    }
    const before = requests;
    refreshAll();
    setTimeout(() => {
      if (requests === before) down.value = null; // a page that asks nothing
      if (down.value !== null) again();
    }, 2000);
  }, delay);
}

/** Sends a request and reads its answer; faults of the network, of the session and of the request are told apart. */
export async function send<T>(path: string, init: RequestInit, read: (answer: Response) => Promise<T>, abort?: AbortSignal): Promise<T> {
  await enter(abort);
  requests++;
  // A timer of its own, gone with the answer: AbortSignal.timeout() would keep each answer for as long as it runs.
  const request = new AbortController();
  const stop = () => request.abort(abort?.reason);
  const timer = setTimeout(() => request.abort(), TIMEOUT_MS);
  abort?.addEventListener('abort', stop);
  if (abort?.aborted === true) stop();
  try {
    const answer = await fetch(base + path, { cache: 'no-store', ...init, signal: request.signal });
    answeredAt.value = performance.now();
    down.value = null;
    if (answer.status === 401) {
      sessionEnded.value = true;
      throw new ApiFault('the session has ended', 401, 'unauthorized');
    }
    if (!answer.ok) throw await faultOf(answer);
    return await read(answer);
  } catch (error) {
    if (error instanceof ApiFault || abort?.aborted) throw error;
    const message = 'the collector cannot be reached';
    noteUnreachable(message);
    throw new ApiFault(message, 0, 'unreachable');
  } finally {
    clearTimeout(timer);
    abort?.removeEventListener('abort', stop);
    leave();
  }
}

async function faultOf(answer: Response): Promise<ApiFault> {
  const body = (await answer.json().catch(() => null)) as { error?: string; errorType?: string } | null;
  return new ApiFault(body?.error ?? `the collector answered ${answer.status}`, answer.status, body?.errorType ?? '');
}

/** Asks for JSON. Long queries go as a form: an address has no room for 100 KB. */
export async function get<T>(path: string, params: Params = {}, abort?: AbortSignal): Promise<Answer<T>> {
  const query = queryOf(params).toString();
  const body = query.length > 4000
    ? await send(path, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: query }, json<T>, abort)
    : await send(path + (query === '' ? '' : '?' + query), {}, json<T>, abort);
  return { data: body.data as T, warnings: body.warnings ?? [], infos: body.infos ?? [] };
}

/** Reads an answer of the API. */
export function json<T>(answer: Response): Promise<Partial<Answer<T>>> {
  return answer.json() as Promise<Partial<Answer<T>>>;
}
