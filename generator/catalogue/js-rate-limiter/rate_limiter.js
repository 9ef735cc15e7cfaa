'use strict';

/** Maximum number of calls of a key in a window. */
const DEFAULT_LIMIT = 100;

/** Length of the window. */
const DEFAULT_WINDOW_SECONDS = 60;

/**
 * @typedef {object} Decision
 * @property {boolean} allowed
 * @property {number} remaining Calls that are left in the window.
 * @property {number} retryAfterMs Time until the next call is allowed; 0 where this one was.
 */

/**
 * Allows each key at most `limit` calls in any window of `windowMs`.
 *
 * The times of the allowed calls are kept, so the limit is exact: no burst of twice the limit around the edge of a window.
 */
class RateLimiter {
  #limit;
  #windowMs;
  #maxKeys;
  #now;
  /**
   * The times of the allowed calls of each key, the oldest first. The key that was used longest ago comes first.
   *
   * @type {Map<string, number[]>}
   */
  #calls = new Map();

  /**
   * @param {object} [options]
   * @param {number} [options.limit]
   * @param {number} [options.windowMs]
   * @param {number} [options.maxKeys] Bounds the memory; the key that was used longest ago is forgotten first.
   * @param {() => number} [options.now]
   */
  constructor({
    limit = DEFAULT_LIMIT,
    windowMs = DEFAULT_WINDOW_SECONDS * 1000,
    maxKeys = 100_000,
    now = () => performance.now(),
  } = {}) {
    for (const [name, value] of Object.entries({ limit, maxKeys })) {
      if (!Number.isSafeInteger(value) || value < 1) {
        throw new RangeError(`${name} must be an integer of at least 1`);
      }
    }
    if (!Number.isFinite(windowMs) || windowMs <= 0) {
      throw new RangeError('windowMs must be a positive number of milliseconds');
    }
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#maxKeys = maxKeys;
    this.#now = now;
  }

  /** Number of keys that are remembered. */
  get size() {
    return this.#calls.size;
  }

  /**
   * Counts a call of `key` if it is allowed. Refused calls are not counted.
   *
   * @param {string} key Such as a user's id or an address.
   * @returns {Decision}
   */
  take(key) {
    const now = this.#now();
    const calls = this.#recent(key, now);
    const allowed = calls.length < this.#limit;
    if (allowed) calls.push(now);
    this.#calls.delete(key);
    this.#calls.set(key, calls);
    this.#forgetSurplus();
    return this.#decision(allowed, calls, now);
  }

  /**
   * Returns what `take` would decide, and counts nothing.
   *
   * @param {string} key
   * @returns {Decision}
   */
  peek(key) {
    const now = this.#now();
    const calls = this.#recent(key, now);
    return this.#decision(calls.length < this.#limit, calls, now);
  }

  /** @param {string} key */
  reset(key) {
    this.#calls.delete(key);
  }

  /** Forgets the keys without a call in the window; call it from a timer where keys come and go. */
  prune() {
    const now = this.#now();
    for (const key of [...this.#calls.keys()]) {
      if (this.#recent(key, now).length === 0) this.#calls.delete(key);
    }
  }

  #recent(key, now) {
    const calls = this.#calls.get(key) ?? [];
    const first = calls.findIndex((time) => time > now - this.#windowMs);
    return first < 0 ? [] : calls.slice(first);
  }

  #decision(allowed, calls, now) {
    const retryAfterMs = allowed ? 0 : calls[0] + this.#windowMs - now;
    return { allowed, remaining: this.#limit - calls.length, retryAfterMs };
  }

  #forgetSurplus() {
    while (this.#calls.size > this.#maxKeys) {
      this.#calls.delete(this.#calls.keys().next().value);
    }
  }
}

module.exports = { RateLimiter, DEFAULT_LIMIT, DEFAULT_WINDOW_SECONDS };
