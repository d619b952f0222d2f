// Rows of one height in a page that scrolls as a whole: only those near the window are in the document.
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export interface Slice {
  first: number;
  last: number;
}

const MARGIN = 8;

/** Which of `count` rows stand in or near the window, in a list whose top is the element's. */
export function useSlice(list: RefObject<HTMLElement | null>, count: number, rowHeight: number): Slice {
  const [slice, set] = useState<Slice>({ first: 0, last: Math.min(count, 40) });
  useEffect(() => {
    const place = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const first = Math.max(0, Math.floor(-top / rowHeight) - MARGIN);
      const last = Math.min(count, Math.ceil((window.innerHeight - top) / rowHeight) + MARGIN);
      set((before) => (before.first === first && before.last === last ? before : { first: Math.min(first, count), last: Math.max(last, 0) }));
    };
    place();
    window.addEventListener('scroll', place, { passive: true });
    window.addEventListener('resize', place);
    return () => {
      window.removeEventListener('scroll', place);
      window.removeEventListener('resize', place);
    };
  }, [count, rowHeight]);
  return { first: Math.min(slice.first, count), last: Math.min(Math.max(slice.last, 0), count) };
}
