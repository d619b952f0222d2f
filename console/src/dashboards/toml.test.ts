import { expect, it } from 'vitest';
import type { Definition } from './model';
import { tomlOf } from './toml';

it('a definition is written in the order in which people write one', () => {
  const definition: Definition = {
    id: 'x', title: 'It\'s "x"', tags: ['a'],
    variables: [{ name: 'host', kind: 'label_values', of: 'instance' }],
    panels: [{
      id: 'p', kind: 'timeseries', grid: { x: 0, y: 0, w: 24, h: 8 }, min: -0.5, thresholds: [{ level: 'crit', above: 90 }],
      queries: [{ promql: 'up{a="b"}' }, { promql: 'a\n+ b', hidden: true }],
    }],
  };
  expect(tomlOf(definition)).toBe(`id = "x"
title = "It's \\"x\\""
tags = ["a"]

[[variables]]
name = "host"
kind = "label_values"
of = "instance"

[[panels]]
id = "p"
kind = "timeseries"
grid = { x = 0, y = 0, w = 24, h = 8 }
min = -0.5
thresholds = [{ level = "crit", above = 90 }]
[[panels.queries]]
promql = 'up{a="b"}'
[[panels.queries]]
promql = '''
a
+ b'''
hidden = true
`);
});

it('texts with quotes, backslashes and characters that show nothing are strings that say the same', () => {
  const of = (title: string) => tomlOf({ id: 'x', title }).split('\n')[1];
  expect(of('a\\b')).toBe("title = 'a\\b'");
  expect(of("a\\'b\u0001\t")).toBe('title = "a\\\\\'b\\u0001\\t"');
  expect(of("'''\n")).toBe("title = \"'''\\n\"");
});
