import './style.css';
import './app/theme';
import { render } from 'preact';
import { base } from './api/client';
import { SignInForm } from './ui/signin';

const params = new URLSearchParams(location.search);

// Only a path of this console: an address from outside must not lead elsewhere after signing in.
function next(): string {
  const wanted = new URL(base + (params.get('next') ?? '').replace(/^\/+/, ''), location.origin);
  return wanted.origin === location.origin && wanted.pathname.startsWith(base) ? wanted.pathname + wanted.search : base;
}

function Page() {
  return (
    <>
      <h1>Lightmetrics</h1>
      {params.get('ended') === '1' && <p class="note">Your session has ended. Sign in again to go on.</p>}
      <SignInForm done={() => location.replace(next())} />
    </>
  );
}

render(<Page />, document.getElementById('app')!);
document.getElementById('token')?.focus();
