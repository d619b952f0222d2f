// The agents page: asks every five seconds, shows what it knows with its age, never replaces it by nothing.
"use strict";

const REFRESH_MS = 5000;
const TIMEOUT_MS = 15000;

// Icon, word and colour each say the state: none of them alone.
const STATES = {
  up: { icon: "●", word: "up" },
  late: { icon: "▲", word: "late" },
  down: { icon: "■", word: "down" },
  never: { icon: "○", word: "no data yet" },
  unseen: { icon: "◇", word: "never seen" },
};

const rows = document.getElementById("rows");
const table = document.getElementById("table");
const empty = document.getElementById("empty");
const summary = document.getElementById("summary");
const fault = document.getElementById("fault");
const notice = document.getElementById("notice");
const freshness = document.getElementById("freshness");
const byAgent = new Map();

let received = null; // performance.now() of the last good answer: a clock that nobody sets
let lastSummary = "";
let timer = 0;

function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return seconds + " s";
  if (seconds < 3600) return Math.floor(seconds / 60) + " min " + (seconds % 60) + " s";
  if (seconds < 86400) return Math.floor(seconds / 3600) + " h " + Math.floor((seconds % 3600) / 60) + " min";
  return Math.floor(seconds / 86400) + " d " + Math.floor((seconds % 86400) / 3600) + " h";
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const count = (value) => value === null || value === undefined ? "—" : whole.format(value);
const percent = (value) => value === null ? "—" : (value * 100).toFixed(value < 0.0995 ? 1 : 0) + " %";

function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }

  return (unit === 0 ? value : value.toPrecision(3)) + " " + units[unit];
}

function cell(className) {
  const td = document.createElement("td");
  td.className = className;
  return td;
}

function makeRow(id) {
  const tr = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  const title = document.createElement("span");
  title.textContent = id;
  const version = document.createElement("small");
  name.append(title, version);
  const state = cell("state");
  const icon = document.createElement("span");
  icon.setAttribute("aria-hidden", "true");
  const word = document.createElement("span");
  const backlog = document.createElement("small");
  const clock = document.createElement("small");
  clock.className = "warn";
  state.append(icon, " ", word, backlog, clock);
  const row = { tr, version, state, icon, word, backlog, clock, seen: cell(""), seq: cell("number"), gaps: cell("number"), queue: cell("number"),
    dropped: cell("number"), load: cell("number value"), memory: cell("number value"), cpu: cell("number value"), ageMs: null };
  tr.append(name, row.state, row.seen, row.seq, row.gaps, row.queue, row.dropped, row.load, row.memory, row.cpu);
  return row;
}

// Only what changed is written: screen readers and selections are left in peace.
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fill(row, agent) {
  const known = STATES[agent.state] || { icon: "?", word: agent.state };
  row.tr.dataset.state = agent.state;
  put(row.version, agent.version === "" ? "" : "v" + agent.version);
  put(row.icon, known.icon);
  put(row.word, known.word);
  put(row.backlog, agent.backlog ? "delivering backlog" : "");
  const skew = agent.clock_skew_ms;
  put(row.clock, agent.clock_suspect ? "clock " + age(Math.abs(skew)) + (skew > 0 ? " behind" : " ahead") : "");
  row.ageMs = agent.last_seen_age_ms;
  row.seen.title = agent.last_seen === null ? "" : agent.last_seen;
  const gaps = agent.queues.reduce((sum, queue) => sum + queue.gaps, 0);
  const pending = agent.queues.reduce((sum, queue) => sum + queue.pending, 0);
  put(row.seq, agent.queues.length === 0 ? "—" : count(agent.queues[0].highest_seq));
  put(row.gaps, agent.queues.length === 0 ? "—" : count(gaps) + (pending > 0 ? " (" + count(pending) + " awaited)" : ""));
  row.gaps.classList.toggle("warn", gaps > 0);
  const queue = agent.queue;
  put(row.queue, queue === null ? "—" : count(queue.batches));
  row.queue.title = queue === null ? "" : bytes(queue.bytes);
  put(row.dropped, queue === null ? "—" : count(queue.dropped + queue.rejected));
  row.dropped.classList.toggle("warn", queue !== null && queue.dropped + queue.rejected > 0);
  put(row.load, agent.current.load1 === null ? "—" : agent.current.load1.toFixed(2));
  put(row.memory, percent(agent.current.memory_used_ratio));
  put(row.cpu, percent(agent.current.cpu_busy_ratio));
}

function show(data) {
  const seen = new Set();
  const counts = {};
  data.agents.forEach((agent, index) => {
    seen.add(agent.agent_id);
    counts[agent.state] = (counts[agent.state] || 0) + 1;
    let row = byAgent.get(agent.agent_id);
    if (row === undefined) {
      row = makeRow(agent.agent_id);
      byAgent.set(agent.agent_id, row);
    }

    fill(row, agent);
    if (rows.children[index] !== row.tr) rows.insertBefore(row.tr, rows.children[index] || null);
  });
  for (const [id, row] of byAgent) {
    if (!seen.has(id)) {
      row.tr.remove();
      byAgent.delete(id);
    }
  }

  put(notice, data.notices.join("\n"));
  empty.hidden = data.agents.some((agent) => agent.state !== "unseen");
  table.hidden = data.agents.length === 0;
  const parts = Object.keys(STATES).filter((state) => counts[state] > 0).map((state) => counts[state] + " " + STATES[state].word);
  const text = data.agents.length === 0 ? "" : data.agents.length + (data.agents.length === 1 ? " agent: " : " agents: ") + parts.join(", ");
  if (text !== lastSummary) {
    lastSummary = text;
    summary.textContent = text;
  }
}

function tick() {
  if (received === null) return;
  const since = performance.now() - received;
  freshness.classList.toggle("stale", since > 3 * REFRESH_MS);
  put(freshness, "updated " + age(since) + " ago");
  for (const row of byAgent.values()) put(row.seen, row.ageMs === null ? "—" : age(row.ageMs + since) + " ago");
}

function toSignIn(ended) {
  location.replace(ended ? "login?ended=1" : "login");
}

async function refresh() {
  clearTimeout(timer);
  try {
    const answer = await fetch("api/v1/agents", { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.status === 401) {
      toSignIn(true);
      return;
    }

    const body = await answer.json();
    if (!answer.ok) throw new Error(body.error || "the collector answered " + answer.status);
    received = performance.now();
    show(body.data);
    put(fault, "");
    document.body.classList.remove("old");
  } catch (error) {
    const reason = error instanceof TypeError || error.name === "TimeoutError" ? "the collector cannot be reached" : error.message;
    put(fault, "No new data: " + reason + ". " + (received === null ? "Trying again." : "What you see is from the last answer; trying again."));
    document.body.classList.toggle("old", received !== null);
  }

  tick();
  if (!document.hidden) timer = setTimeout(refresh, REFRESH_MS);
}

document.getElementById("signout").addEventListener("click", async () => {
  try {
    const answer = await fetch("api/v1/session", { method: "DELETE", headers: { "Content-Type": "application/json" } });
    if (!answer.ok) throw new Error("the collector answered " + answer.status);
    toSignIn(false);
  } catch {
    put(fault, "Not signed out: the collector cannot be reached. Try again.");
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else refresh();
});

setInterval(tick, 1000);
refresh();
