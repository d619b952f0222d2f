import { afterEach, expect, it, vi } from 'vitest';

const later = setTimeout;
vi.stubGlobal('setTimeout', (run: () => void, ms: number) => (ms < 5000 ? later(run, 0) : 0));

const { follow } = await import('./sse');

/** Answers each request with the next list of chunks, then ends the connection. */
function serve(...answers: (string[] | number)[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    const answer = answers.shift();
    if (answer === undefined) return new Promise(() => undefined);
    if (typeof answer === 'number') return Promise.resolve(new Response('{}', { status: answer }));
    return Promise.resolve(new Response(new ReadableStream({
      start(controller) {
        for (const chunk of answer) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    })));
  });
  return asked;
}

const stop: AbortController[] = [];
afterEach(() => stop.splice(0).forEach((each) => each.abort()));

function listen(): { events: unknown[]; ids: string[] } {
  const heard = { events: [] as unknown[], ids: [] as string[] };
  const abort = new AbortController();
  stop.push(abort);
  void follow({ events: 'log', query: '{a="b"}' }, '', {
    state: () => undefined,
    events: (events, before, after) => { heard.events.push(...events); heard.ids.push(`${before} ${after}`); },
  }, abort.signal);
  return heard;
}

it('events are whole however the connection cuts them', async () => {
  serve([': connected\n\nevent: log\nda', 'ta: {"line":"ä\\n"}\nid: x:1', '.2\n', '\n: still here\n\nevent: lagged\ndata: {"missed":3,"of":"events"}\n\n']);
  const heard = listen();
  await vi.waitFor(() => expect(heard.events).toHaveLength(2));
  expect(heard.events).toEqual([{ kind: 'log', data: { line: 'ä\n' } }, { kind: 'lagged', data: { missed: 3, of: 'events' } }]);
});

it('after a break or a refusal it goes on behind the last event it heard', async () => {
  const asked = serve(['event: log\ndata: 1\nid: a:0.10\n\n'], 503, ['event: log\ndata: 2\nid: a:0.20\n\n']);
  const heard = listen();
  await vi.waitFor(() => expect(heard.events).toEqual([{ kind: 'log', data: 1 }, { kind: 'log', data: 2 }]));
  await vi.waitFor(() => expect(asked).toHaveLength(4));
  expect(asked.map((url) => new URL(url, 'http://x').searchParams.get('last_event_id'))).toEqual([null, 'a:0.10', 'a:0.10', 'a:0.20']);
  expect(heard.ids).toEqual([' a:0.10', 'a:0.10 a:0.20']); // so that who only hears of it can tell whether it has all
});
