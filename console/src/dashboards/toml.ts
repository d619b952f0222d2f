// A definition as TOML, in the order in which people write one.
import type { Definition } from './model';

type Value = string | number | boolean | readonly Value[] | { [key: string]: Value | undefined };
type Table = { [key: string]: Value | undefined };

export function tomlOf(definition: Definition): string {
  const { variables = [], panels = [], ...top } = definition;
  let text = lines(top as unknown as Table);
  for (const variable of variables) text += `\n[[variables]]\n${lines(variable as unknown as Table)}`;
  for (const { queries = [], ...panel } of panels) {
    text += `\n[[panels]]\n${lines(panel as unknown as Table)}`;
    for (const query of queries) text += `[[panels.queries]]\n${lines(query as unknown as Table)}`;
  }
  return text;
}

function lines(table: Table): string {
  return Object.entries(table).map(([key, value]) => (value === undefined ? '' : `${key} = ${write(value)}\n`)).join('');
}

function write(value: Value): string {
  if (typeof value === 'string') return string(value);
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((item: Value) => write(item)).join(', ')}]`;
  return `{ ${Object.entries(value as Table).filter(([, each]) => each !== undefined).map(([key, each]) => `${key} = ${write(each!)}`).join(', ')} }`;
}

// Queries have quotes: a literal string shows them as they are. It has no escapes, so it cannot hold its own quote or characters that show nothing.
function string(text: string): string {
  if (/["\\]/.test(text) && !/['\u0000-\u001f\u007f]/.test(text)) return `'${text}'`;
  if (text.includes('\n') && !/'''|[\u0000-\u0008\u000b-\u001f\u007f]/.test(text) && !text.endsWith("'")) return `'''\n${text}'''`;
  return `"${text.replace(/["\\\u0000-\u001f\u007f]/g, (char) => (char === '\n' ? '\\n' : char === '\t' ? '\\t' : char === '"' || char === '\\' ? '\\' + char : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`))}"`;
}
