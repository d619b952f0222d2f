// A part of the console that is fetched when it is first shown: who never goes there does not load it.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Loading } from '../ui/states';

/** A component that another file has. Where that cannot be fetched any more, because the console was updated, main.tsx says so. */
export function later<P extends object>(fetch: () => Promise<ComponentType<P>>): ComponentType<P> {
  let known: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [Part, setPart] = useState(() => known);
    const [since] = useState(() => performance.now());
    useEffect(() => {
      if (Part === null) fetch().then((part) => { known = part; setPart(() => part); }, () => undefined);
    }, []);
    return Part === null ? <Loading since={since} tall /> : <Part {...props} />;
  };
}
