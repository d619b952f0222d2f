// Numbers, sizes, times and ages as people read them. The full value is always a hover or a CSV away.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const UNITS = [
  'none', 'percent', 'ratio', 'bytes', 'bytes_si', 'bytes_per_second', 'bits_per_second', 'seconds', 'celsius', 'hertz', 'ops', 'count', 'timestamp',
] as const;

export type Unit = (typeof UNITS)[number];

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? '—' : whole.format(value);
}

/** A share of 0 to 1 as per cent. */
export function percent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return '—';
  return (ratio * 100).toFixed(ratio < 0.0995 ? 1 : 0) + ' %';
}

const IEC = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

export function bytes(value: number, decimals?: number): string {
  let unit = 0;
  let size = Math.abs(value);
  // 1023.5 would print as 1.02e+3 with three digits.
  while (size >= (unit === 0 ? 1024 : 999.5) && unit < IEC.length - 1) {
    size /= 1024;
    unit++;
  }
  const sign = value < 0 ? '-' : '';
  return `${sign}${decimals !== undefined ? size.toFixed(decimals) : unit === 0 ? trim(size) : digits(size)} ${IEC[unit]}`;
}

function digits(value: number): string {
  return value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function trim(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

const SI: [number, string][] = [[1e18, 'E'], [1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

/** A number with three significant digits. */
export function plain(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e21 || size < 1e-6) return value.toExponential(2);
  // 999.5 to 999.999 stands in the next unit already: 1.00 k.
  const found = SI.find(([factor]) => size >= factor * 0.9995);
  if (found && size >= 9999.5) return digits(size / found[0]).replace(/^/, value < 0 ? '-' : '') + ' ' + found[1];
  return size >= 999.5 ? whole.format(value) : trim(value);
}

export function seconds(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0 s';
  if (size < 1e-6) return trim(value * 1e9) + ' ns';
  if (size < 1e-3) return trim(value * 1e6) + ' µs';
  if (size < 1) return trim(value * 1e3) + ' ms';
  return size < 120 ? trim(value) + ' s' : (value < 0 ? '-' : '') + age(size * 1000);
}

/** A number with the prefix of thousands that leaves one to three digits before the point. */
function scaled(value: number, unit: string, decimals?: number): string {
  const size = Math.abs(value);
  const found = SI.find(([factor]) => size >= factor * 0.9995);
  const number = found ? value / found[0] : value;
  return `${decimals === undefined ? trim(number) : number.toFixed(decimals)} ${found ? found[1] : ''}${unit}`;
}

/** A value in its unit; what is no number shows as itself. */
export function inUnit(value: number | null | undefined, unit: Unit, decimals?: number): string {
  if (value === null || value === undefined) return '—';
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const show = (number: number) => (decimals === undefined ? trim(number) : number.toFixed(decimals));
  switch (unit) {
    case 'percent': return show(value) + ' %';
    case 'ratio': return show(value * 100) + ' %';
    case 'bytes': return bytes(value, decimals);
    case 'bytes_si': return scaled(value, 'B', decimals);
    case 'bytes_per_second': return bytes(value, decimals) + '/s';
    case 'bits_per_second': return scaled(value, 'bit/s', decimals);
    case 'seconds': return seconds(value);
    case 'celsius': return show(value) + ' °C';
    case 'hertz': return scaled(value, 'Hz', decimals);
    case 'ops': return (decimals === undefined ? plain(value) : value.toFixed(decimals)) + ' /s';
    case 'count': return whole.format(value);
    case 'timestamp': return Math.abs(value) < 8.64e12 ? new Date(value * 1000).toISOString().slice(0, 19).replace('T', ' ') + ' UTC' : String(value);
    case 'none': return decimals === undefined ? plain(value) : value.toFixed(decimals);
  }
}

/** A length of time in two units: "3 min 4 s". */
export function age(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  if (total < 60) return `${total} s`;
  if (total < 3600) return `${Math.floor(total / 60)} min ${total % 60} s`;
  if (total < 86_400) return `${Math.floor(total / 3600)} h ${Math.floor((total % 3600) / 60)} min`;
  return `${Math.floor(total / 86_400)} d ${Math.floor((total % 86_400) / 3600)} h`;
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

function parts(ms: number, utc: boolean) {
  const time = new Date(ms);
  return utc
    ? [time.getUTCFullYear(), time.getUTCMonth() + 1, time.getUTCDate(), time.getUTCHours(), time.getUTCMinutes(), time.getUTCSeconds(), time.getUTCMilliseconds()] as const
    : [time.getFullYear(), time.getMonth() + 1, time.getDate(), time.getHours(), time.getMinutes(), time.getSeconds(), time.getMilliseconds()] as const;
}

export function dateTime(ms: number, utc: boolean): string {
  const [year, month, day, hour, minute, second] = parts(ms, utc);
  return `${year}-${pad(month)}-${pad(day)} ${pad(hour)}:${pad(minute)}:${pad(second)}`;
}

export function timeOfDay(ms: number, utc: boolean, withMs = true): string {
  const [, , , hour, minute, second, milli] = parts(ms, utc);
  return `${pad(hour)}:${pad(minute)}:${pad(second)}${withMs ? '.' + pad(milli, 3) : ''}`;
}

/** What an axis shows at a time, as fine as the distance of its marks. */
export function axisTime(ms: number, stepMs: number, utc: boolean): string {
  const [, month, day, hour, minute, second] = parts(ms, utc);
  if (stepMs >= 86_400_000) return `${pad(month)}-${pad(day)}`;
  if (hour === 0 && minute === 0 && second === 0) return `${pad(month)}-${pad(day)}`;
  return `${pad(hour)}:${pad(minute)}${stepMs < 60_000 ? ':' + pad(second) : ''}`;
}
