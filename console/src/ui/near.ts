// Whether a part of the page has come near the window: what nobody sees asks nothing.
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export function useNear(node: RefObject<HTMLElement | null>): boolean {
  const [near, setNear] = useState(false);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => { if (entry?.isIntersecting) setNear(true); }, { rootMargin: '300px' });
    observer.observe(node.current!);
    return () => observer.disconnect();
  }, []);
  return near;
}
