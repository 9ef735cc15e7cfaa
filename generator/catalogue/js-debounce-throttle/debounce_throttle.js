'use strict';

/**
 * @typedef {object} Timers
 * @property {(callback: () => void, delayMs: number) => unknown} setTimeout
 * @property {(handle: any) => void} clearTimeout
 */

/**
 * @typedef {object} Controls
 * @property {() => void} cancel Drops the waiting call.
 * @property {() => void} flush Runs the waiting call now.
 * @property {() => boolean} pending Returns whether a call is waiting.
 */

/** @type {Readonly<Timers>} */
const SYSTEM_TIMERS = Object.freeze({
  setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
  clearTimeout: (handle) => clearTimeout(handle),
});

/**
 * @param {unknown} fn
 * @param {unknown} delayMs
 * @param {string} name
 */
function checkArguments(fn, delayMs, name) {
  if (typeof fn !== 'function') {
    throw new TypeError('fn must be a function');
  }
  if (typeof delayMs !== 'number' || !Number.isFinite(delayMs) || delayMs < 0) {
    throw new RangeError(`${name} must be a finite number of milliseconds, at least 0`);
  }
}

/**
 * Holds the last call, and the timer of the current window.
 *
 * @param {Function} fn
 * @param {number} delayMs
 * @param {Timers} timers
 */
function createWindow(fn, delayMs, timers) {
  let isOpen = false;
  let handle;
  let waiting = null;

  return {
    isOpen: () => isOpen,
    hasCall: () => waiting !== null,
    hold(self, args) {
      waiting = { self, args };
    },
    open(onEnd) {
      if (isOpen) {
        timers.clearTimeout(handle);
      }
      isOpen = true;
      handle = timers.setTimeout(() => {
        isOpen = false;
        onEnd();
      }, delayMs);
    },
    close() {
      if (isOpen) {
        timers.clearTimeout(handle);
      }
      isOpen = false;
    },
    drop() {
      waiting = null;
    },
    run() {
      const call = waiting;
      waiting = null;
      if (call !== null) {
        fn.apply(call.self, call.args);
      }
    },
  };
}

/**
 * @param {ReturnType<typeof createWindow>} window
 * @returns {Controls}
 */
function controlsOf(window) {
  return {
    cancel() {
      window.close();
      window.drop();
    },
    flush() {
      if (window.hasCall()) {
        window.close();
        window.run();
      }
    },
    pending: () => window.hasCall(),
  };
}

/**
 * Returns a function that calls `fn` with the latest arguments once it has not been called for `waitMs`.
 *
 * @template {(...args: any[]) => void} F
 * @param {F} fn
 * @param {number} waitMs
 * @param {{ leading?: boolean, timers?: Timers }} [options] With `leading`, the first call of a burst runs at once.
 * @returns {((...args: Parameters<F>) => void) & Controls}
 */
function debounce(fn, waitMs, { leading = false, timers = SYSTEM_TIMERS } = {}) {
  checkArguments(fn, waitMs, 'waitMs');
  const window = createWindow(fn, waitMs, timers);

  function debounced(...args) {
    const startsBurst = !window.isOpen();
    window.open(window.run);
    if (startsBurst && leading) {
      fn.apply(this, args);
    } else {
      window.hold(this, args);
    }
  }
  return Object.assign(debounced, controlsOf(window));
}

/**
 * Returns a function that calls `fn` at once, and then at most once in each `intervalMs`.
 *
 * @template {(...args: any[]) => void} F
 * @param {F} fn
 * @param {number} intervalMs
 * @param {{ trailing?: boolean, timers?: Timers }} [options] Without `trailing`, calls within an interval are dropped.
 * @returns {((...args: Parameters<F>) => void) & Controls}
 */
function throttle(fn, intervalMs, { trailing = true, timers = SYSTEM_TIMERS } = {}) {
  checkArguments(fn, intervalMs, 'intervalMs');
  const window = createWindow(fn, intervalMs, timers);

  function onEnd() {
    if (window.hasCall()) {
      // The trailing call opens the next interval, so that the rate holds across bursts.
      window.open(onEnd);
      window.run();
    }
  }

  function throttled(...args) {
    if (!window.isOpen()) {
      window.open(onEnd);
      fn.apply(this, args);
    } else if (trailing) {
      window.hold(this, args);
    }
  }
  return Object.assign(throttled, controlsOf(window));
}

module.exports = { debounce, throttle };
