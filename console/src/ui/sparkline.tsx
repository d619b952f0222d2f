// A small line without axes; the numbers beside it say the same in words.
import { memo } from './memo';

const WIDTH = 96;
const HEIGHT = 24;

function draw(values: readonly (number | null)[], max: number): string {
  let path = '';
  let pen = 'M';
  values.forEach((value, index) => {
    if (value === null || !Number.isFinite(value)) {
      pen = 'M'; // a gap stays a gap
      return;
    }
    const x = (index / Math.max(1, values.length - 1)) * WIDTH;
    const y = HEIGHT - 1 - (Math.min(max, Math.max(0, value)) / max) * (HEIGHT - 2);
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = 'L';
  });
  return path;
}

export const Sparkline = memo(({ values, max, label }: { values: readonly (number | null)[]; max: number; label: string }) => (
  <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}><path d={draw(values, max)} /></svg>
));
