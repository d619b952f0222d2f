import { expect, it } from 'vitest';
import { factsOf } from './facts';

const series = (name: string, value: string, labels: Record<string, string> = {}) => ({ metric: { __name__: name, ...labels }, value: [0, value] as [number, string] });

it('a host is what its series say, and what none says is not known', () => {
  expect(factsOf([{ result: [
    series('node_os_info', '1', { name: 'Debian GNU/Linux', pretty_name: 'Debian GNU/Linux 12 (bookworm)' }), series('node_uname_info', '1', { release: '6.1.0' }),
    series('node_cpu_info', '1', { cpu: '0', model_name: 'A processor' }), series('node_cpu_info', '1', { cpu: '1', model_name: 'A processor' }),
  ] }, { result: [
    series('node_boot_time_seconds', '1000'), series('node_memory_SwapTotal_bytes', '400'), series('node_memory_SwapFree_bytes', '100'),
    series('node_hwmon_temp_celsius', '51'), series('node_hwmon_temp_celsius', 'NaN'), series('node_thermal_zone_temp', '63.5'), series('node_load5', '0.5'), series('node_load15', '0'),
  ] }], 4600)).toEqual({
    system: 'Debian GNU/Linux 12 (bookworm)', kernel: '6.1.0', processor: 'A processor', cores: 2, upSeconds: 3600, swapUsedRatio: 0.75, celsius: 63.5, load5: 0.5, load15: 0,
  });
  expect(factsOf([{ result: [series('node_memory_SwapTotal_bytes', '0'), series('node_memory_SwapFree_bytes', '0')] }], 0)).toEqual({
    system: '', kernel: '', processor: '', cores: null, upSeconds: null, swapUsedRatio: null, celsius: null, load5: null, load15: null,
  });
});
