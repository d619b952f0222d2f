// The form for the query token: on its own page, and in a dialog over the page when a session ended.
import { useRef, useState } from 'preact/hooks';
import { signIn } from '../api/session';

export function SignInForm({ done }: { done: () => void }) {
  const token = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);

  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    setFault('');
    const problem = await signIn(token.current!.value.trim());
    setBusy(false);
    if (problem === null) {
      token.current!.value = '';
      done();
      return;
    }
    setFault(problem);
    token.current!.focus();
  }

  return (
    <form method="post" action="login" noValidate onSubmit={submit}>
      <label for="token">Query token</label>
      <input ref={token} id="token" type="password" autocomplete="current-password" autocapitalize="off" spellcheck={false} required autofocus
        aria-invalid={fault !== ''} aria-describedby="hint fault" />
      <label class="check"><input type="checkbox" onChange={(event) => { token.current!.type = event.currentTarget.checked ? 'text' : 'password'; }} /> Show what I type</label>
      <p id="hint" class="hint">
        It is the content of the file that <code>token_file</code> in <code>[query]</code> of <code>server.toml</code> names. This browser keeps a session cookie, not the token.
      </p>
      <p id="fault" class="fault" role="alert">{fault}</p>
      <button type="submit" disabled={busy}>Sign in</button>
    </form>
  );
}
