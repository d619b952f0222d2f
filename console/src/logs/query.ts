// Changing LogQL text by clicks.
import { quoted } from '../api/prom';

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The query with one more condition; null when the language cannot name the field. */
export function withFilter(query: string, name: string, value: string, keep: boolean): string | null {
  if (!NAME.test(name)) return null;
  const without = `| ${name}${keep ? '!=' : '='}${quoted(value)}`;
  const wanted = `| ${name}${keep ? '=' : '!='}${quoted(value)}`;
  if (query.includes(wanted)) return query;
  return `${query.replace(without, '').trimEnd()} ${wanted}`;
}

/** The selector that a query begins with: the lines around a line are looked for in its streams, whatever the stages behind leave out. */
export function selectorOf(query: string): string {
  let inText = false;
  for (let i = 0; i < query.length; i++) {
    const char = query[i];
    if (inText && char === '\\') i++;
    else if (char === '"') inText = !inText;
    else if (char === '}' && !inText) return query.slice(0, i + 1);
  }
  return query;
}
