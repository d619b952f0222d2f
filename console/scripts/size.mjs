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

// What else a page loads as soon as it is shown: Vite lists it beside each import() of the entry.
const entry = ofPage('index.html').find((name) => /\/index-[^/]*\.js$/.test(name));
const text = read(entry).toString();
const files = JSON.parse(/m\.f=(\[[^\]]*\])/.exec(text)?.[1] ?? '[]').map((name) => name.replace(/^\.\//, 'assets/'));
const parts = [...text.matchAll(/import\(`\.\/([^`]+)`\)[^]*?__vite__mapDeps\(\[([\d,]*)\]/g)]
  .map(([, name, uses]) => ({ name: name.replace(/-.{8}\.js$/, ''), loads: uses.split(',').filter(Boolean).map((at) => files[Number(at)]) }))
  .filter(({ loads }) => !loads.some((name) => editor.includes(name)));
const pages = [
  ...['index.html', 'login.html'].map((page) => ({ page, loads: ofPage(page) })),
  ...parts.map(({ name, loads }) => ({ page: `index.html and ${name}`, loads: [...new Set([...ofPage('index.html'), ...loads])] })),
].map(({ page, loads }) => ({ page, bytes: sum(loads, packed) }));
const rows = [
  ...pages.map(({ page, bytes }) => ['G1', `first load of ${page}, gzip`, bytes, 90 * KB]),
  ['G2', 'editor chunk, gzip', sum(editor, packed), 150 * KB],
  ['G3', 'all files, gzip', sum([...plain, 'index.html', 'login.html'], packed), 260 * KB],
  ['G3', 'all files, brotli', sum(plain, (name) => read(name + '.br').length), 220 * KB],
];
let failed = editor.length === 0 || parts.length === 0;
if (failed) console.error('there is no editor chunk, or none of a page: the goals measure nothing');
for (const [goal, what, bytes, limit] of rows) {
  const over = bytes > limit;
  failed ||= over;
  console.log(`${goal} ${what}: ${(bytes / KB).toFixed(1)} KB of ${limit / KB} KB${over ? ' OVER' : ''}`);
}
process.exit(failed ? 1 : 0);
