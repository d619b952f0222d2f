// A page's clock that stands still until it is told to go on: half an hour of a live page in the time that its work takes. Frames, answers and streams come as ever.

/** To be run before anything of the page is. `begin` milliseconds since 1970 are its time then. */
export const standingClock = (begin) => `(() => {
  const begun = ${Math.floor(begin)};
  const OwnDate = Date;
  const [later, cancel] = [setTimeout, clearTimeout];
  let passed = 0;
  let next = 1;
  const timers = new Map();
  const add = (isAgain) => (run, ms, ...args) => {
    const after = Math.max(0, Number(ms) || 0);
    if (after === 0 && !isAgain) return -later(run, 0, ...args); // waits for nothing but its turn
    timers.set(next, { at: passed + after, every: isAgain ? Math.max(1, after) : 0, run: () => run(...args) });
    return next++;
  };
  const remove = (id) => { if (id < 0) cancel(-id); else timers.delete(id); };
  window.setTimeout = add(false);
  window.setInterval = add(true);
  window.clearTimeout = window.clearInterval = remove;
  window.Date = class extends OwnDate {
    constructor(...args) { if (args.length === 0) super(begun + passed); else super(...args); }
    static now() { return begun + passed; }
  };
  performance.now = () => passed;

  window.standingClock = {
    timers: () => timers.size,
    /** Lets so much time pass: what is due runs in its order, and what comes in meanwhile is heard each second. */
    async pass(ms) {
      for (const end = passed + ms; passed < end;) {
        const until = Math.min(end, passed + 1000);
        for (;;) {
          const due = [...timers].filter(([, timer]) => timer.at <= until).sort(([a, one], [b, other]) => one.at - other.at || a - b)[0];
          if (due === undefined) break;
          const [id, timer] = due;
          passed = Math.max(passed, timer.at);
          if (timer.every > 0) timer.at += timer.every;
          else timers.delete(id);
          timer.run();
        }
        passed = until;
        await new Promise((go) => later(go, 0));
      }
    },
  };
})();`;
