// Measures the console against the goals G4 to G10 and G12 on a running collector; prints one line for each: its name, its value, its limit, and ok or SHORT.
//   node bench/console/perf.mjs URL TOKEN-FILE [--slack 1.5] [--only load,frames,live,lines,tail,soak] [--driver 'lm-load …'] [--tries 1] [--rounds 5] [--lines 1000000] [--live-seconds 30] [--tail-seconds 60] [--soak-minutes 30]
// bench/console.sh starts a collector with hosts that send, and calls it. Exit code 1 when a goal is missed; times by more than the slack, in each of the tries.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Browser } from './browser.mjs';
import { standingClock } from './clock.mjs';

const [url, tokenFile] = process.argv.slice(2);
if (!url || !tokenFile) {
  console.error('usage: node bench/console/perf.mjs URL TOKEN-FILE [--slack 1.5] [--only load,frames,live,lines,tail,soak] [--driver COMMAND] [--tries 1] [--rounds 5] [--lines 1000000] [--live-seconds 30] [--tail-seconds 60] [--soak-minutes 30]');
  process.exit(2);
}
function option(name, missing) {
  const at = process.argv.indexOf('--' + name);
  return at > 0 ? process.argv[at + 1] : missing;
}
const slack = Number(option('slack', '1'));
const only = option('only', 'load,frames,live,lines,tail,soak').split(',');
const driver = option('driver', '');
const tailSeconds = Number(option('tail-seconds', '60'));
const soakMinutes = Number(option('soak-minutes', '30'));
const liveSeconds = Number(option('live-seconds', '30'));
const rounds = Number(option('rounds', '5'));
const linesWanted = Number(option('lines', '1000000'));
const tries = Number(option('tries', '1'));
const token = readFileSync(tokenFile, 'utf8').trim();
const home = new URL(url).href.replace(/\/?$/, '/');

// Times that a busy machine spoiled are measured again; counts and sizes are what they are.
const missed = { times: 0, counts: 0 };
function report(goal, what, value, limit, unit, isTime = true) {
  const over = value > limit * (isTime ? slack : 1);
  if (over) missed[isTime ? 'times' : 'counts']++;
  console.log(`${goal} ${what}: ${value.toFixed(unit === 's' ? 2 : 1)} ${unit} of ${limit} ${unit} ${over ? 'SHORT' : 'ok'}`);
}

async function measured(part) {
  for (let left = tries; left > 0; left--) {
    const before = missed.times;
    await part();
    if (missed.times === before) return;
    if (left > 1) {
      console.log(`   (measured again, ${left - 1} left)`);
      missed.times = before;
    }
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];
const wait = (ms) => new Promise((go) => setTimeout(go, ms));

const browser = new Browser();
const foreign = [];
const loads = new Set();

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

const HOSTS_SHOWN = "document.querySelectorAll('.hosts tbody tr:not(.space)').length > 0";

async function firstLoads(slow) {
  const paints = [];
  const usable = [];
  let hosts = 0;
  for (let round = 0; round < rounds; round++) {
    const page = await open({ slow });
    await signIn(page);
    await goTo(page, '');
    usable.push(await page.run(until(HOSTS_SHOWN)) / 1000);
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
  await page.run(until(HOSTS_SHOWN));
  await page.send('Performance.enable');
  const busy = async () => (await page.send('Performance.getMetrics')).metrics.find((metric) => metric.name === 'TaskDuration').value;
  const answers = () => page.run("performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/api/v1/agents')).length");
  const [before, answered] = [await busy(), await answers()];
  await wait(liveSeconds * 1000);
  const share = ((await busy()) - before) / liveSeconds * 100;
  const hosts = await page.run("Number(document.querySelector('.hosts').getAttribute('aria-rowcount')) - 1");
  console.log(`   (${(await answers()) - answered} answers of the fleet in ${liveSeconds} s)`);
  report('G7', `main thread busy while the Overview of ${hosts} hosts is live`, share, 10, '%');
  report('G7', 'nodes of the document', await page.run("document.querySelectorAll('*').length"), 3000, 'nodes', false);
  await page.close();
}

const heapMiB = async (page) => {
  await page.send('HeapProfiler.collectGarbage');
  return (await page.send('Runtime.getHeapUsage')).usedSize / 1e6;
};

const LINES_SAID = "Number((document.querySelector('main p[role=status]')?.textContent ?? '').replaceAll(',', '').match(/^(\\\\d+) lines/)?.[1] ?? 0)";

/** As many lines as a list takes, loaded as a person does who goes to the end again and again; then scrolled through. */
async function lines() {
  const page = await open({});
  await signIn(page);
  await goTo(page, `logs?q=${encodeURIComponent('{input="syslog"}')}&from=now-2d&vol=off`);
  await page.run(until("document.querySelector('.line')"));
  const began = Date.now();
  const loaded = await page.run(`new Promise((go) => {
    let [last, still] = [0, performance.now()];
    const look = () => {
      const has = ${LINES_SAID.replaceAll('\\\\', '\\')};
      if (has !== last) [last, still] = [has, performance.now()];
      const list = document.querySelector('.lines');
      list.scrollTop = list.scrollHeight;
      if (has >= ${linesWanted} || performance.now() - still > 15_000) return go(has);
      setTimeout(look, 5);
    };
    look();
  })`);
  console.log(`   (${loaded} lines loaded in ${((Date.now() - began) / 1000).toFixed(1)} s)`);
  const times = await page.run(`new Promise((go) => {
    const list = document.querySelector('.lines');
    const times = [];
    let last = performance.now();
    let step = 0;
    const frame = (now) => {
      times.push(now - last);
      last = now;
      // Line by line, then by pages, then anywhere.
      list.scrollTop = step < 150 ? step * 40 : step < 300 ? step * 2000 : (list.scrollHeight * ((step * 7919) % 1000)) / 1000;
      if (++step === 450) return go(times.slice(5));
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })`);
  report('G8', `lines short of ${linesWanted.toLocaleString('en')} loaded`, Math.max(0, linesWanted - loaded), 0, 'lines', false);
  report('G8', 'frame at 95 %, scrolling them', percentile(times, 0.95), 33, 'ms');
  report('G8', 'nodes of the list', await page.run("document.querySelectorAll('.lines .line').length"), 120, 'lines', false);
  report('G8', 'heap', await heapMiB(page), 250, 'MB', false);
  await page.close();
}

/** The longest task of the page, and what it has heard of 2,000 lines a second. */
async function tail() {
  const page = await open({});
  await signIn(page);
  await goTo(page, `logs?q=${encodeURIComponent('{input="syslog"}')}&live=1&vol=off`);
  await page.run(until("document.querySelector('.state.up')"));
  await page.run(`window.longest = 0; new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.longest = Math.max(window.longest, duration); }).observe({ type: 'longtask' }); true`);
  const sent = await load(['--prefix', 'tail-', '--agents', '4', '--every-ms', '200', '--log-lines', '100', '--seconds', String(tailSeconds)]);
  await wait(3000);
  const heard = await page.run(`(() => {
    const said = [...document.querySelectorAll('main p')].map((part) => part.textContent.replaceAll(',', '')).join('\\n');
    const number = (pattern) => Number((pattern.exec(said) ?? [0, 0])[1]);
    return { shown: number(/(\\d+) so far/), unseen: number(/^(\\d+) lines went by unseen/m) + number(/^(\\d+) events went by unseen/m) + 100 * number(/^(\\d+) records went by unseen/m) };
  })()`);
  console.log(`   (${sent.log_lines} lines sent in ${tailSeconds} s, at most ${sent.latest_ms} ms late; ${heard.shown} shown, ${heard.unseen} said to have gone by)`);
  report('G9', 'longest task', await page.run('window.longest'), 100, 'ms');
  report('G9', 'lines of which nothing is said', Math.abs(sent.log_lines - heard.shown - heard.unseen), 0, 'lines', false);
  await page.close();
}

/** Runs the load driver to its end, or until it is told to stop: what it printed last. */
function load(args, stop = undefined) {
  return new Promise((go, fail) => {
    const [program, ...rest] = driver.split(' ');
    const run = spawn(program, [...rest, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    loads.add(run);
    let text = '';
    run.stdout.on('data', (part) => { text += part; });
    stop?.addEventListener('abort', () => run.kill('SIGTERM'));
    run.on('error', fail);
    run.on('exit', (code) => (code === 0 ? go(JSON.parse(text.trim().split('\n').at(-1))) : fail(new Error(`the load ended with ${code}`))));
  });
}

/** A live dashboard of a host for so many minutes, by a clock that is put forward as soon as each refresh has its answers. */
async function soak() {
  const page = await open({});
  await signIn(page);
  await page.send('Page.addScriptToEvaluateOnNewDocument', { source: standingClock(Date.now() - (soakMinutes + 5) * 60_000) });
  const [streams, questions] = [new Set(), new Set()];
  let [most, opened, asked] = [0, 0, 0];
  page.on(({ method, params }) => {
    if (method === 'Network.requestWillBeSent' && params.request.url.includes('/api/v1/live')) {
      opened++;
      most = Math.max(most, streams.add(params.requestId).size);
    } else if (method === 'Network.requestWillBeSent') {
      questions.add(params.requestId);
      asked++;
    }
    if (method === 'Network.loadingFinished' || method === 'Network.loadingFailed') {
      streams.delete(params.requestId);
      questions.delete(params.requestId);
    }
  });
  const ended = new AbortController();
  // Each twentieth of their lines is an error, which the dashboard's list shows.
  const lines = load(['--prefix', 'soak-', '--agents', '1', '--every-ms', '100', '--log-lines', '20', '--seconds', '3600'], ended.signal);
  await goTo(page, 'd/host?var-host=soak-0');
  await page.run(until("document.querySelectorAll('.legend tbody tr').length > 2"));
  await page.run("document.querySelector('[aria-label=Errors]').scrollIntoView(); true");
  await page.run(until("document.querySelector('[aria-label=Errors] .state.up')"));

  // As the dashboard has it: each 15 s.
  const refreshed = async (times) => {
    for (let i = 0; i < times; i++) await page.run(`standingClock.pass(15_000).then(() => ${until("!document.querySelector('.busy')")})`);
  };
  // Each request that is under way has a timer, and so has each part of the page that waits.
  const timersAtRest = async () => {
    do await wait(200); while (questions.size > 0);
    await page.run('standingClock.pass(1000)');
    return page.run('standingClock.timers()');
  };
  await refreshed(20); // five minutes, in which is made what is made once
  const [before, timers] = [await heapMiB(page), await timersAtRest()];
  let grown = 0;
  const [began, refreshes, askedBefore] = [Date.now(), soakMinutes * 4, asked];
  for (let done = 0; done < refreshes;) {
    const next = Math.min(refreshes, done + 240);
    await refreshed(next - done);
    done = next;
    const now = (await heapMiB(page)) - before;
    console.log(`   (after ${done / 4} min, ${((Date.now() - began) / 1000).toFixed(0)} s of this machine's: ${now.toFixed(2)} MB more, ${(now - grown).toFixed(2)} of them since the last look)`);
    grown = now;
  }
  const timersLeft = (await timersAtRest()) - timers;
  ended.abort();
  await lines;
  const live = await page.run("document.querySelectorAll('[aria-label=Errors] .line').length");
  asked -= askedBefore;
  console.log(`   (${refreshes} refreshes, ${asked} requests; streams opened ${opened}; ${live} lines in the live list's document)`);
  if (asked < refreshes || live === 0) throw new Error('the dashboard was not live: nothing was measured');
  report('G10', `heap grown in ${soakMinutes} min of a live dashboard`, grown, 20, 'MB', false);
  report('G10', 'streams open at once', most, 1, 'streams', false);
  report('G10', 'timers more than at the start', timersLeft, 0, 'timers', false);
  await page.close();
}

try {
  if (only.includes('load')) {
    await measured(() => firstLoads(false));
    await measured(() => firstLoads(true));
  }
  for (const [name, part] of Object.entries({ frames, live, lines, tail, soak })) {
    if (only.includes(name)) await measured(part);
  }
  report('G12', 'requests to elsewhere', foreign.length, 0, 'requests', false);
} finally {
  for (const run of loads) run.kill();
  await browser.close();
}
process.exit(missed.times + missed.counts > 0 ? 1 : 0);
