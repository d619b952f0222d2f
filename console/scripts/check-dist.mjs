// Whether the committed dist is what the sources give: builds into another folder and compares. Compressed files are compared by what is in them, because
// another release of Node may compress differently.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { build } from 'vite';

const list = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1)).sort();

const fresh = mkdtempSync(join(tmpdir(), 'lm-console.'));
const faults = [];
try {
  await build({ logLevel: 'error', build: { outDir: fresh, emptyOutDir: true } });
  const committed = list('dist');
  const plain = committed.filter((name) => !/\.(gz|br)$/.test(name));
  const built = list(fresh);
  for (const name of built.filter((each) => !plain.includes(each))) faults.push(`${name} is not in dist`);
  for (const name of plain.filter((each) => !built.includes(each))) faults.push(`${name} is in dist and not built any more`);
  for (const name of plain.filter((each) => built.includes(each))) {
    const bytes = readFileSync(join('dist', name));
    if (!bytes.equals(readFileSync(join(fresh, name)))) faults.push(`${name} differs`);
    if (name.endsWith('.html')) continue;
    for (const [ending, unpack] of [['.gz', gunzipSync], ['.br', brotliDecompressSync]]) {
      if (!committed.includes(name + ending)) faults.push(`${name}${ending} is missing`);
      else if (!unpack(readFileSync(join('dist', name + ending))).equals(bytes)) faults.push(`${name}${ending} holds something else than ${name}`);
    }
  }
} finally {
  rmSync(fresh, { recursive: true });
}
if (faults.length > 0) {
  console.error(`console/dist is not what console/src gives; run npm ci && npm run build in console/:\n  ${faults.join('\n  ')}`);
  process.exit(1);
}
console.log('console/dist is what console/src gives');
