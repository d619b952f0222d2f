// Headless Chromium over its debugging pipe: no package, no port.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FLAGS = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--remote-debugging-pipe'];

export class Browser {
  #next = 1;
  #waiting = new Map();
  #listeners = new Set();
  #profile = mkdtempSync(join(tmpdir(), 'lm-perf.'));

  constructor(program = '/usr/bin/chromium') {
    this.process = spawn(program, [...FLAGS, `--user-data-dir=${this.#profile}`], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    let rest = '';
    this.process.stdio[4].setEncoding('utf8').on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      for (const message of messages) this.#take(JSON.parse(message));
    });
  }

  #take(message) {
    if (message.id === undefined) {
      for (const listener of this.#listeners) listener(message);
      return;
    }
    const { go, stop } = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.error) stop(new Error(message.error.message));
    else go(message.result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = this.#next++;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + '\0');
    return new Promise((go, stop) => this.#waiting.set(id, { go, stop }));
  }

  /** A page in a context of its own: no cache, no cookies. */
  async page({ width = 1280, height = 800, slow = false } = {}) {
    const { browserContextId } = await this.send('Target.createBrowserContext');
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank', browserContextId, width, height });
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const send = (method, params) => this.send(method, params, sessionId);
    await send('Page.enable');
    await send('Network.enable');
    await send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
    if (slow) {
      await send('Emulation.setCPUThrottlingRate', { rate: 4 });
      await send('Network.emulateNetworkConditions', { offline: false, latency: 40, downloadThroughput: 10e6 / 8, uploadThroughput: 10e6 / 8 });
    }
    return {
      send,
      run: async (expression) => {
        const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
        if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
      },
      on: (listener) => this.#listeners.add((message) => message.sessionId === sessionId && listener(message)),
      close: () => this.send('Target.disposeBrowserContext', { browserContextId }),
    };
  }

  async close() {
    await this.send('Browser.close').catch(() => undefined);
    await new Promise((go) => (this.process.exitCode === null ? this.process.once('exit', go) : go()));
    rmSync(this.#profile, { recursive: true, force: true });
  }
}
