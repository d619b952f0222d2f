// Dashboards that are being edited and not saved: kept for the tab, so that neither a reload nor a session that ends loses them.
import { signal } from '@preact/signals';
import type { Definition } from './model';

export interface Draft {
  definition: Definition;
  /** The version that it began with; null for one that is new. */
  etag: string | null;
  /** Whether what it began with was deleted. */
  isOrphan?: boolean;
}

const KEY = 'lm-drafts';

function read(): Record<string, Draft> {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, Draft>;
  } catch {
    return {}; // storage can be turned off, or hold what another version wrote
  }
}

export const drafts = signal<Record<string, Draft>>(read());

export function setDraft(id: string, draft: Draft | null): void {
  const { [id]: _, ...others } = drafts.peek();
  drafts.value = draft === null ? others : { ...others, [id]: draft };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(drafts.peek()));
  } catch {
    // It lives as long as the page, then.
  }
}
