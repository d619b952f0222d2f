// Names and values for completion, as they are needed: by what is typed so far, and never all of them.
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { newCompleteStrategy } from '@prometheus-io/codemirror-promql';
import { EqlSingle } from '@prometheus-io/lezer-promql';
import { get } from '../api/client';
import { quoted } from '../api/prom';

// More names than a list can usefully show.
const NAMES_MAX = 500;

interface Metadata {
  type: string;
  help: string;
  unit: string;
}

interface Matcher {
  type: number;
  name: string;
  value: string;
}

/** Completes at the cursor. A list that was cut is asked for again with each letter: what one looks for may be behind its end. */
export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const names = new Names(context.matchBefore(/[a-zA-Z0-9_:.-]+$/)?.text ?? '');
  const result = await newCompleteStrategy({ remote: names as never }).promQL(context);
  return result !== null && names.isCut ? { ...result, validFor: undefined } : result;
}

function selector(metric: string | undefined, matchers: readonly string[] = []): string | undefined {
  const labels = matchers.length === 0 ? '' : `{${matchers.join(',')}}`;
  return metric === undefined || metric === '' ? labels || undefined : metric + labels;
}

/** Those that are whole; the one that is being typed is none yet. */
function equal(matchers: readonly Matcher[] = [], but = ''): string[] {
  return matchers.filter(({ type, name, value }) => type === EqlSingle && name !== '__name__' && name !== but && value !== '').map(({ name, value }) => `${name}=${quoted(value)}`);
}

function startsWith(label: string, text: string): string {
  return `${label}=~${quoted(text.replace(/[.\\+*?^$()[\]{}|]/g, '\\$&') + '.*')}`;
}

/** What the editor's completion asks a Prometheus for; one for each time. */
class Names {
  /** Whether there are more than were given. */
  isCut = false;

  constructor(private readonly typed: string) {}

  async labelNames(metric?: string): Promise<string[]> {
    return this.noted((await get<string[]>('api/v1/labels', { 'match[]': selector(metric), limit: NAMES_MAX })).data);
  }

  async labelValues(label: string, metric?: string, matchers?: readonly Matcher[]): Promise<string[]> {
    const match = selector(metric, [...equal(matchers, label), ...(this.typed === '' ? [] : [startsWith(label, this.typed)])]);
    return this.noted((await get<string[]>(`api/v1/label/${encodeURIComponent(label)}/values`, { 'match[]': match, limit: NAMES_MAX })).data);
  }

  async metricNames(prefix = ''): Promise<string[]> {
    const match = prefix === '' ? undefined : `{${startsWith('__name__', prefix.replace(/[^a-zA-Z0-9_:]/g, ''))}}`;
    return this.noted((await get<string[]>('api/v1/label/__name__/values', { 'match[]': match, limit: NAMES_MAX })).data);
  }

  // Types and help for a list that has all of its names; of thousands the first would be others' anyway.
  async metricMetadata(): Promise<Record<string, Metadata[]>> {
    if (this.isCut) return {};
    return (await get<Record<string, Metadata[]>>('api/v1/metadata', { limit: NAMES_MAX })).data;
  }

  async series(metric: string, matchers?: readonly Matcher[]): Promise<Map<string, string>[]> {
    const { data } = await get<Record<string, string>[]>('api/v1/series', { 'match[]': selector(metric, equal(matchers)) ?? metric, limit: NAMES_MAX });
    return data as unknown as Map<string, string>[];
  }

  async flags(): Promise<Record<string, string>> {
    return {};
  }

  private noted(names: string[]): string[] {
    this.isCut ||= names.length >= NAMES_MAX;
    return names;
  }
}
