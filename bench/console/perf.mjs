// Measures the console against goals G4 to G7 and G12 on a running collector; prints one line each.
//   node bench/console/perf.mjs URL TOKEN-FILE [--slack 1.5]
// The collector should know 200 hosts: bench/console.sh starts one that does. Exit code 1 when a goal is missed by more than the slack (times alone).
import { readFileSync } from 'node:fs';
import { Browser } from './browser.mjs';

const [url, tokenFile] = process.argv.slice(2);
if (!url || !tokenFile) {
  console.error('usage: node bench/console/perf.mjs URL TOKEN-FILE [--slack 1.5]');
  process.exit(2);
}
const slackAt = process.argv.indexOf('--slack');
const slack = slackAt > 0 ? Number(process.argv[slackAt + 1]) : 1;
const token = readFileSync(tokenFile, 'utf8').trim();
const home = new URL(url).href.replace(/\/?$/, '/');
const ROUNDS = 5;

let missed = 0;
function report(goal, what, value, limit, unit, isTime = true) {
  const over = value > limit * (isTime ? slack : 1);
  if (over) missed++;
  console.log(`${goal} ${what}: ${value.toFixed(unit === 's' ? 2 : 1)} ${unit} of ${limit} ${unit}${over ? ' OVER' : ''}`);
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

const browser = new Browser();
const foreign = [];

async function open(options) {
  const page = await browser.page(options);
  page.on(({ method, params }) => {
    if (method === 'Network.requestWillBeSent' && !params.request.url.startsWith(home) && !params.request.url.startsWith('blob:')) foreign.push(params.request.url);
  });
  return page;
}

async function goTo(page, path) {
  const loaded = new Promise((go) => page.on(({ method }) => method === 'Page.loadEventFired' && go()));
  await page.send('Page.navigate', { url: home + path });
  await loaded;
}

async function signIn(page) {
  await goTo(page, 'login');
  const ok = await page.run(`fetch('api/v1/session', { method: 'POST', headers: { Authorization: 'Bearer ${token}', 'Content-Type': 'application/json' }, body: '{}' }).then((a) => a.ok)`);
  if (!ok) throw new Error('the token does not sign in');
  await page.send('Network.clearBrowserCache'); // the sign-in page brought some of the files
}

/** Time from the navigation's start until the expression holds, looked at each frame. */
const until = (expression) => `new Promise((go) => { const look = () => ((${expression}) ? go(performance.now()) : requestAnimationFrame(look)); look(); })`;

async function firstLoads(slow) {
  const paints = [];
  const usable = [];
  let hosts = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const page = await open({ slow });
    await signIn(page);
    await goTo(page, '');
    usable.push(await page.run(until("document.querySelectorAll('.hosts tbody tr:not(.space)').length > 0")) / 1000);
    paints.push(await page.run("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000);
    hosts = await page.run("Number(document.querySelector('.hosts').getAttribute('aria-rowcount')) - 1");
    await page.close();
  }
  const where = slow ? 'slow' : 'local';
  report('G4', `first contentful paint, ${where}`, median(paints), slow ? 1.3 : 0.5, 's');
  report('G5', `Overview with ${hosts} hosts usable, ${where}`, median(usable), slow ? 2.2 : 1, 's');
}

/** 10,000 points of each of 5 series, and frames while one moves and zooms. */
async function frames() {
  const page = await open({});
  await signIn(page);
  // Queries that read nothing and give as many points as wished.
  const end = Math.floor(Date.now() / 1000) - 60;
  const queries = [1, 2, 3, 4, 5].map((n) => `q=${encodeURIComponent(`vector(time() % ${n * 97})`)}`).join('&');
  await goTo(page, `explore?${queries}&from=${(end - 10_000) * 1000}&to=${end * 1000}&step=1&refresh=off`);
  await page.run(until("document.querySelectorAll('.legend tbody tr').length === 5 && document.querySelector('.u-wrap canvas')"));
  const times = await page.run(`new Promise((go) => {
    const over = document.querySelector('.u-over');
    const area = over.getBoundingClientRect();
    const at = (x) => ({ bubbles: true, cancelable: true, clientX: area.left + x, clientY: area.top + 50 });
    const times = [];
    let last = performance.now();
    let step = 0;
    over.dispatchEvent(new MouseEvent('mousedown', { ...at(area.width / 2), button: 0, buttons: 1, shiftKey: true }));
    const frame = (now) => {
      times.push(now - last);
      last = now;
      step++;
      if (step < 200) document.dispatchEvent(new MouseEvent('mousemove', { ...at(area.width / 2 + 300 * Math.sin(step / 20)), buttons: 1, shiftKey: true }));
      else if (step < 400) over.dispatchEvent(new WheelEvent('wheel', { ...at(area.width / 2), ctrlKey: true, deltaY: step % 40 < 20 ? -1 : 1 }));
      else return go(times.slice(5));
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
  report('G6', 'frame at 95 %, panning and zooming 10,000 points of 5 series', percentile(times, 0.95), 20, 'ms');
  await page.close();
}

async function live() {
  const page = await open({});
  await signIn(page);
  await goTo(page, '');
  await page.run(until("document.querySelectorAll('.hosts tbody tr:not(.space)').length > 0"));
  await page.send('Performance.enable');
  const busy = async () => (await page.send('Performance.getMetrics')).metrics.find((metric) => metric.name === 'TaskDuration').value;
  const before = await busy();
  await new Promise((go) => setTimeout(go, 20_000));
  const share = ((await busy()) - before) / 20 * 100;
  report('G7', 'main thread busy while the Overview is live', share, 10, '%');
  report('G7', 'nodes of the document', await page.run("document.querySelectorAll('*').length"), 3000, 'nodes', false);
  await page.close();
}

try {
  await firstLoads(false);
  await firstLoads(true);
  await frames();
  await live();
  report('G12', 'requests to elsewhere', foreign.length, 0, 'requests', false);
} finally {
  await browser.close();
}
process.exit(missed > 0 ? 1 : 0);
