// A chart as a file.
import { colour, colourOf } from '../app/theme';
import { isUtc, range, zoneName } from '../app/time';
import { csv, save } from './csv';
import { dateTime } from './format';
import { DRAWN, type Lines } from './series';

/** All of it, raw numbers, RFC 3339 times. */
export function saveCsv(title: string, data: Lines): void {
  save(`${title}.csv`, csv([
    ['time', ...data.lines.map((line) => line.name)],
    ...data.times.map((time, index) => [new Date(time * 1000).toISOString(), ...data.lines.map((line) => line.values[index] ?? null)]),
  ]));
}

/** The picture at twice its size, with title, range and legend. */
export function savePng(title: string, figure: HTMLElement, data: Lines): void {
  const source = figure.querySelector('canvas');
  if (source === null) return;
  const names = data.lines.slice(0, DRAWN);
  const canvas = document.createElement('canvas');
  canvas.width = source.clientWidth * 2;
  canvas.height = (source.clientHeight + 50 + Math.ceil(names.length / 3) * 18) * 2;
  const ctx = canvas.getContext('2d')!;
  ctx.scale(2, 2);
  ctx.fillStyle = colour('card');
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  ctx.fillStyle = colour('text');
  ctx.font = '600 15px system-ui, sans-serif';
  ctx.fillText(title, 10, 20);
  ctx.font = '12px system-ui, sans-serif';
  const { start, end } = range.peek();
  ctx.fillText(`${dateTime(start, isUtc.peek())} to ${dateTime(end, isUtc.peek())} ${zoneName.peek()}`, 10, 37);
  ctx.drawImage(source, 0, 45, source.clientWidth, source.clientHeight);
  names.forEach((line, index) => {
    const x = 10 + (index % 3) * (source.clientWidth / 3);
    const y = source.clientHeight + 58 + Math.floor(index / 3) * 18;
    ctx.fillStyle = colourOf(index);
    ctx.fillRect(x, y - 8, 10, 3);
    ctx.fillStyle = colour('text');
    ctx.fillText(line.name, x + 15, y, source.clientWidth / 3 - 25);
  });
  canvas.toBlob((blob) => { if (blob) save(`${title}.png`, blob); });
}
