// What a host is, and what of it now is in its series alone: an agent that has the sources sends it.
import type { Labels, Vector } from '../api/prom';

export interface Facts {
  /** As "Debian GNU/Linux 12 (bookworm)", the kernel's release, and the processor; empty where nothing says it. */
  system: string;
  kernel: string;
  processor: string;
  cores: number | null;
  upSeconds: number | null;
  swapUsedRatio: number | null;
  /** Of the hottest sensor, in degrees Celsius. */
  celsius: number | null;
  load5: number | null;
  load15: number | null;
}

/** @param now seconds since 1970 */
export function factsOf(answers: readonly Pick<Vector, 'result'>[], now: number): Facts {
  const all = answers.flatMap(({ result }) => result);
  const of = (name: string) => all.filter(({ metric }) => metric['__name__'] === name);
  const values = (name: string) => of(name).map(({ value }) => Number(value[1])).filter(Number.isFinite);
  const label = (name: string, ...labels: string[]) => labels.map((each) => (of(name)[0]?.metric as Labels | undefined)?.[each] ?? '').find((text) => text !== '') ?? '';
  const one = (name: string) => values(name)[0] ?? null;
  const [total, free, boot] = [one('node_memory_SwapTotal_bytes'), one('node_memory_SwapFree_bytes'), one('node_boot_time_seconds')];
  const celsius = [...values('node_hwmon_temp_celsius'), ...values('node_thermal_zone_temp')];
  return {
    system: label('node_os_info', 'pretty_name', 'name'),
    kernel: label('node_uname_info', 'release'),
    processor: label('node_cpu_info', 'model_name'),
    cores: of('node_cpu_info').length || null,
    upSeconds: boot === null ? null : Math.max(0, now - boot),
    swapUsedRatio: total === null || free === null || total <= 0 ? null : 1 - free / total,
    celsius: celsius.length === 0 ? null : Math.max(...celsius),
    load5: one('node_load5'),
    load15: one('node_load15'),
  };
}
