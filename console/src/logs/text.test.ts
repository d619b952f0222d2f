import { describe, expect, it } from 'vitest';
import { selectorOf, withFilter } from './query';
import { visible } from '../ui/text';
import { oneLine, severityClass } from './text';

describe('lines from anywhere', () => {
  it('lose their colour codes and show what would hide or turn text', () => {
    expect(visible('\u001b[31mred\u001b[0m a\u0000b \u202Eevil\u200b <b>')).toBe('red a\\u0000b \\u202eevil\\u200b <b>');
  });

  it('stand in one row', () => {
    expect(oneLine('first\n\tsecond')).toBe('first second');
    expect(oneLine('x'.repeat(5000))).toHaveLength(2001);
  });

  it('have the colour of their severity', () => {
    expect(['error', 'error2', 'fatal', 'warn', 'info', 'debug', undefined].map(severityClass)).toEqual(['error', 'error', 'error', 'warn', 'info', 'debug', 'unknown']);
  });
});

describe('a filter made by a click', () => {
  it('is added once, turned round when the other one is wanted, and quotes its value', () => {
    const first = withFilter('{a="b"} | json', 'path', 'C:\\x "y"', true)!;
    expect(first).toBe('{a="b"} | json | path="C:\\\\x \\"y\\""');
    expect(withFilter(first, 'path', 'C:\\x "y"', true)).toBe(first);
    expect(withFilter(first, 'path', 'C:\\x "y"', false)).toBe('{a="b"} | json | path!="C:\\\\x \\"y\\""');
  });

  it('is not made for a name that the language has not', () => {
    expect(withFilter('{a="b"}', 'a.b', 'c', true)).toBeNull();
  });
});

it('a query begins with its selector, whatever its values hold', () => {
  expect(selectorOf('{a="}\\"}", b=~"x"} |= "}" | json')).toBe('{a="}\\"}", b=~"x"}');
});
