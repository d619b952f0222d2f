// Signing in and out. The token goes out once, in a header; what stays in the browser is an HttpOnly cookie.
import { base } from './client';

/** Signs in. Null when it worked, else what went wrong, for people. */
export async function signIn(token: string): Promise<string | null> {
  // A header holds visible ASCII; anything else would make fetch throw, and no token has it.
  if (token === '') return 'Enter the query token.';
  if (!/^[\x21-\x7e]+$/.test(token)) return 'A token has no spaces and only plain characters.';
  try {
    const answer = await fetch(base + 'api/v1/session', {
      method: 'POST',
      headers: { Authorization: 'Bearer ' + token, 'Content-Type': 'application/json' },
      body: '{}',
      cache: 'no-store',
      redirect: 'error',
    });
    if (answer.ok) return null;
    const problem = (await answer.json().catch(() => null)) as { error?: string } | null;
    return problem?.error ? `Not signed in: ${problem.error}.` : `Not signed in: the collector answered ${answer.status}.`;
  } catch {
    return 'The collector cannot be reached. Nothing was stored; try again.';
  }
}

/** Signs out. False when the collector could not be told. */
export async function signOut(): Promise<boolean> {
  try {
    const answer = await fetch(base + 'api/v1/session', { method: 'DELETE', headers: { 'Content-Type': 'application/json' } });
    return answer.ok;
  } catch {
    return false;
  }
}
