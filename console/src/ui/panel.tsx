// A chart with its query: asks when it comes near the window, shows what the answer lacks, and leads on to Explore.
import { useRef } from 'preact/hooks';
import { type Labels, nameOf, queryRange } from '../api/prom';
import { linkTo } from '../app/router';
import { aligned, range, stepOf } from '../app/time';
import { Chart } from './chart';
import { saveCsv, savePng } from './chartfiles';
import { useNear } from './near';
import type { ChartOptions } from './plot';
import { useResource } from './resource';
import { linesOf, type Lines } from './series';
import { Loaded, Notes } from './states';

export interface PanelQuery {
  /** PromQL; `$rate` is a range that holds enough samples for rate(). */
  expr: string;
  legend?: (labels: Labels) => string;
}

interface PanelAnswer {
  lines: Lines;
  warnings: string[];
}

/** PromQL with its variable filled in. */
export function filled(expr: string, step: number): string {
  return expr.replaceAll('$rate', `${Math.max(60, step / 1000)}s`);
}

export function Panel({ queries, hideEmpty, empty, ...options }: ChartOptions & { queries: PanelQuery[]; hideEmpty?: boolean; empty?: string }) {
  const figure = useRef<HTMLElement>(null);
  const near = useNear(figure);
  const step = stepOf(range.value, (figure.current?.clientWidth ?? 600) / 2);
  const { start, end } = aligned(range.value, step);
  const exprs = queries.map((query) => filled(query.expr, step));
  const key = JSON.stringify([exprs, start, end, step, near]);
  const answer = useResource<PanelAnswer>(key, near ? async (abort) => {
    const answers = await Promise.all(exprs.map((expr) => queryRange(expr, start, end, step, abort)));
    const all = answers.map(({ data }, index) => linesOf(data, start, end, step, queries[index]!.legend ?? nameOf));
    const lines = all.flatMap((each) => each.lines.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)));
    return { lines: { times: all[0]!.times, lines }, warnings: answers.flatMap((each) => [...each.warnings, ...each.infos]) };
  } : null);
  const isEmpty = answer.data.value !== null && answer.data.value.lines.lines.length === 0;
  return (
    <figure ref={figure} class="panel" hidden={hideEmpty && isEmpty} aria-label={options.title}>
      <div class="panel-head">
        <h2>{options.title}</h2>
        <span class="panel-menu">
          {answer.data.value !== null && !isEmpty && (
            <>
              <button type="button" class="plain small" onClick={() => saveCsv(options.title, answer.data.value!.lines)}>CSV<span class="hidden"> of {options.title}</span></button>
              <button type="button" class="plain small" onClick={() => savePng(options.title, figure.current!, answer.data.value!.lines)}>PNG<span class="hidden"> of {options.title}</span></button>
            </>
          )}
          <a class="small" href={linkTo('explore', { q: exprs, unit: options.unit })}>Explore<span class="hidden"> {options.title}</span></a>
        </span>
      </div>
      <Loaded of={answer} tall>
        {(data) => (
          <>
            <Notes title="warning" lines={data.warnings} />
            {isEmpty ? <p class="empty">{empty ?? 'No sample in this time range.'}</p> : <Chart {...options} data={data.lines} />}
          </>
        )}
      </Loaded>
    </figure>
  );
}
