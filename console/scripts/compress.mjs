// Writes a .gz and a .br beside every built file, at the highest setting: the collector sends them as they are.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const folders = ['dist', 'dist/assets'];
for (const folder of folders) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isFile() || /\.(gz|br)$/.test(entry.name) || entry.name.endsWith('.html')) continue; // pages are filled in with the base path
    const name = `${folder}/${entry.name}`;
    const bytes = readFileSync(name);
    writeFileSync(name + '.gz', gzipSync(bytes, { level: 9 }));
    writeFileSync(name + '.br', brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
  }
}
