// Variables' values in queries, so that no value, which anybody can put in an address, changes what a query is. The collector checks queries by the same rules
// (src/Lm.Collector/Dashboards/QueryFill.cs); tests/fixtures/dashboards/fill.json holds both to them.

export interface Filling {
  values: readonly string[];
  isInterval?: boolean;
  isMany?: boolean;
  /** What people call it. */
  label?: string;
  /** Whether there is anything to choose from. */
  hasOptions?: boolean;
}

export type Fillings = ReadonlyMap<string, Filling>;

/** Durations that are there without being declared. */
export interface Steps {
  __step: string;
  __range: string;
  __rate: string;
}

type Place = 'bare' | 'text' | 'pattern' | 'other';

/** A query that cannot be filled in. */
export class FillFault extends Error {}

export function fill(query: string, fillings: Fillings, steps: Steps): string {
  let out = '';
  let at = 0;

  function string() {
    const quote = query[at]!;
    const before = query.slice(0, at).trimEnd();
    const place: Place = /[=!|]~$/.test(before) ? 'pattern' : before.endsWith('=') ? 'text' : 'other';
    out += query[at++];
    while (at < query.length) {
      const char = query[at]!;
      if (char === quote) {
        out += query[at++];
        return;
      }
      if (char === '\\' && quote !== '`') out += query[at++];
      else if (char === '$' && put(place, quote)) continue;
      out += query[at++] ?? '';
    }
  }

  // Whether a name begins here and was replaced.
  function put(place: Place, quote: string): boolean {
    const found = /^\$(?:\{([a-zA-Z_][a-zA-Z0-9_]*)\}|([a-zA-Z_][a-zA-Z0-9_]*))/.exec(query.slice(at));
    if (found === null) return false;
    const name = found[1] ?? found[2]!;
    const known = fillings.get(name);
    const duration = known === undefined && Object.hasOwn(steps, name) ? steps[name as keyof Steps] : undefined;
    if (known === undefined && duration === undefined) {
      if (place === 'other') return false; // a template's own, as in line_format
      throw new FillFault(`$${name} is no variable of this dashboard`);
    }
    if (known !== undefined && known.isInterval !== true) {
      if (place === 'bare') throw new FillFault(`$${name} stands outside of a string, where only variables of the kind interval may: a value must not change the query`);
      if (place === 'other') throw new FillFault(`$${name} stands in a string that is no matcher's: put it behind =, !=, =~ or !~`);
      if (known.isMany === true && place === 'text') throw new FillFault(`$${name} may have several values (multi or all): compare with =~ or !~`);
      if (quote === '`') throw new FillFault(`$${name} stands in backquotes, which have no escapes: use double quotes`);
    }
    const values = duration !== undefined ? [duration] : known!.values;
    // Only what is a duration can stand where nothing escapes it, whatever the address says.
    if (known?.isInterval === true && !/^(\d+(ms|[smhdwy]))+$/.test(values[0] ?? '')) throw new FillFault(`$${name} is no duration`);
    if (place === 'pattern') out += escaped(values.length === 1 ? pattern(values[0]!) : `(?:${values.map(pattern).join('|')})`, quote);
    else out += place === 'text' ? escaped(values[0] ?? '', quote) : values[0];
    at += found[0].length;
    return true;
  }

  while (at < query.length) {
    const char = query[at]!;
    if (char === '"' || char === "'" || char === '`') string();
    else if (char === '#') {
      while (at < query.length && query[at] !== '\n') out += query[at++];
    } else if (char !== '$' || !put('bare', '')) out += query[at++];
  }
  return out;
}

/** The variables in a query that have no value; one that is typed always has one, if only the empty text. */
export function missingIn(query: string, fillings: Fillings): Filling[] {
  const names = new Set([...query.matchAll(/\$(?:\{([a-zA-Z_][a-zA-Z0-9_]*)\}|([a-zA-Z_][a-zA-Z0-9_]*))/g)].map(([, braced, plain]) => braced ?? plain!));
  return [...fillings].filter(([name, { values }]) => names.has(name) && values.length === 0).map(([, filling]) => filling);
}

/** Text for people, as titles: values as they are. */
export function fillText(text: string, fillings: Fillings): string {
  return text.replace(/\$(?:\{([a-zA-Z_][a-zA-Z0-9_]*)\}|([a-zA-Z_][a-zA-Z0-9_]*))/g, (whole, braced?: string, plain?: string) => fillings.get(braced ?? plain!)?.values.join(', ') ?? whole);
}

/** An address: values as parts of it. */
export function fillUrl(url: string, fillings: Fillings, labels: Record<string, string> = {}): string {
  const withLabels = url.replace(/\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/g, (_, name: string) => encodeURIComponent(labels[name] ?? ''));
  return withLabels.replace(/\$(?:\{([a-zA-Z_][a-zA-Z0-9_]*)\}|([a-zA-Z_][a-zA-Z0-9_]*))/g, (whole, braced?: string, plain?: string) => {
    const known = fillings.get(braced ?? plain!);
    return known === undefined ? whole : encodeURIComponent(known.values[0] ?? '');
  });
}

function pattern(value: string): string {
  return value.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}

function escaped(value: string, quote: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll(quote, '\\' + quote).replaceAll('\n', '\\n');
}
