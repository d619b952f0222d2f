// Lines as lists show them.
import type { Entry } from '../api/logs';
import { visible } from '../ui/text';

/** For one row of a list: the first line's beginning. */
export function oneLine(line: string): string {
  return visible(line.length > 2000 ? line.slice(0, 2000) + '…' : line).replace(/[\n\t]+/g, ' ');
}

/** With its own line ends, for rows that wrap. */
export function wrapped(line: string): string {
  return visible(line.length > 16_384 ? line.slice(0, 16_384) + '…' : line);
}

/** What a line has under a name: what the query took out of it goes before what came with it. */
export function fieldOf({ labels, attrs, stream }: Entry, name: string): string {
  return labels[name] ?? attrs[name] ?? stream[name] ?? '';
}

const RANKS: [RegExp, string][] = [[/^(fatal|error|err|crit|alert|emerg)/, 'error'], [/^warn/, 'warn'], [/^(info|notice)/, 'info'], [/^(debug|trace)/, 'debug']];

/** The colour class of a severity; the word itself stands beside it. */
export function severityClass(severity: string | undefined): string {
  return RANKS.find(([pattern]) => pattern.test(severity ?? ''))?.[1] ?? 'unknown';
}
