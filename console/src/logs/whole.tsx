// A line as it is; of a very long one the beginning, until all of it is asked for.
import { useState } from 'preact/hooks';
import { bytes, count } from '../ui/format';
import { visible } from '../ui/text';

const CUT = 16 * 1024;

export function WholeLine({ line }: { line: string }) {
  const [isWhole, setWhole] = useState(false);
  const isCut = line.length > CUT && !isWhole;
  return (
    <>
      <pre class="whole" tabIndex={0} role="region" aria-label="The line">{visible(isCut ? line.slice(0, CUT) : line)}</pre>
      {isCut && <p class="soft">The first {bytes(CUT)} of it. <button type="button" class="plain small" onClick={() => setWhole(true)}>Show all {count(line.length)} characters</button></p>}
    </>
  );
}
