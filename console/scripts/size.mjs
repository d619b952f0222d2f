// Sizes of what is served, against goals G1 to G3 of the console; a file over its limit fails.
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const KB = 1000;
const read = (name) => readFileSync(`dist/${name}`);
const packed = (name) => gzipSync(read(name), { level: 9 }).length;
const assets = readdirSync('dist/assets').map((name) => `assets/${name}`);
const plain = assets.filter((name) => !/\.(gz|br)$/.test(name));
const editor = plain.filter((name) => /\/editor-[^/]*\.js$/.test(name));
const ofPage = (page) => [page, ...plain.filter((name) => !editor.includes(name) && read(page).includes(name.split('/')[1]))];
const sum = (names, size) => names.reduce((total, name) => total + size(name), 0);

const pages = ['index.html', 'login.html'].map((page) => ({ page, bytes: sum(ofPage(page), packed) }));
const rows = [
  ...pages.map(({ page, bytes }) => ['G1', `first load of ${page}, gzip`, bytes, 90 * KB]),
  ['G2', 'editor chunk, gzip', sum(editor, packed), 150 * KB],
  ['G3', 'all files, gzip', sum([...plain, 'index.html', 'login.html'], packed), 260 * KB],
  ['G3', 'all files, brotli', sum(plain, (name) => read(name + '.br').length), 220 * KB],
];
let failed = editor.length === 0;
if (failed) console.error('there is no editor chunk: goal G2 measures nothing');
for (const [goal, what, bytes, limit] of rows) {
  const over = bytes > limit;
  failed ||= over;
  console.log(`${goal} ${what}: ${(bytes / KB).toFixed(1)} KB of ${limit / KB} KB${over ? ' OVER' : ''}`);
}
process.exit(failed ? 1 : 0);
