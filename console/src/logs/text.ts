// Lines as lists show them.
import { visible } from '../ui/text';

/** For one row of a list: the first line's beginning. */
export function oneLine(line: string): string {
  return visible(line.length > 2000 ? line.slice(0, 2000) + '…' : line).replace(/[\n\t]+/g, ' ');
}

const RANKS: [RegExp, string][] = [[/^(fatal|error|err|crit|alert|emerg)/, 'error'], [/^warn/, 'warn'], [/^(info|notice)/, 'info'], [/^(debug|trace)/, 'debug']];

/** The colour class of a severity; the word itself stands beside it. */
export function severityClass(severity: string | undefined): string {
  return RANKS.find(([pattern]) => pattern.test(severity ?? ''))?.[1] ?? 'unknown';
}
