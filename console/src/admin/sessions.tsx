// Who is signed in.
import { useSignal } from '@preact/signals';
import { get, send } from '../api/client';
import { age, count } from '../ui/format';
import { useResource } from '../ui/resource';
import { Loaded } from '../ui/states';
import { AdminTabs } from './tabs';

interface Session {
  id: number;
  from: string;
  age_ms: number;
  idle_ms: number;
  is_this: boolean;
}

export function AdminSessions() {
  const sessions = useResource('sessions', async (abort) => (await get<Session[]>('api/v1/admin/sessions', {}, abort)).data);
  const fault = useSignal('');
  const end = (id: number) => {
    fault.value = '';
    send(`api/v1/admin/sessions/${id}`, { method: 'DELETE' }, (answer) => answer.text()).then(() => sessions.reload(), (error: Error) => { fault.value = error.message; sessions.reload(); });
  };
  return (
    <>
      <AdminTabs />
      <p class="fault" role="alert">{fault}</p>
      <Loaded of={sessions} tall>
        {(data) => (data.length === 0 ? <p class="empty">Nobody is signed in by a browser.</p> : (
          <div class="scroll" role="region" aria-label="Sessions" tabIndex={0}>
            <table>
              <caption class="hidden">Sessions of browsers</caption>
              <thead><tr><th scope="col" class="number">Session</th><th scope="col">From</th><th scope="col" class="number">Signed in</th><th scope="col" class="number">Last used</th><th scope="col">End</th></tr></thead>
              <tbody>
                {data.map((session) => (
                  <tr key={session.id}>
                    <th scope="row" class="number">{count(session.id)}</th><td>{session.from}{session.is_this && <small>this browser</small>}</td>
                    <td class="number">{age(session.age_ms)} ago</td><td class="number">{age(session.idle_ms)} ago</td>
                    <td><button type="button" class="plain small" onClick={() => end(session.id)}>End session {session.id}</button></td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ))}
      </Loaded>
      <p class="soft">A session ends 12 hours after its last use, 7 days after its start, and when the query token is replaced.</p>
    </>
  );
}
