'use strict';

/** Number of tasks that run at once where the caller does not say otherwise. */
const DEFAULT_CONCURRENCY = 5;

/** @param {unknown} concurrency */
function checkConcurrency(concurrency) {
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new RangeError('concurrency must be an integer of at least 1');
  }
}

/** Runs asynchronous tasks, at most `concurrency` of them at once, in the order in which they were added. */
class PromisePool {
  #concurrency;
  #running = 0;
  /** @type {Array<() => void>} */
  #waiting = [];
  /** @type {Array<() => void>} */
  #idleListeners = [];

  /** @param {number} [concurrency] */
  constructor(concurrency = DEFAULT_CONCURRENCY) {
    checkConcurrency(concurrency);
    this.#concurrency = concurrency;
  }

  /** Number of tasks that run now. */
  get running() {
    return this.#running;
  }

  /** Number of tasks that wait for a place. */
  get waiting() {
    return this.#waiting.length;
  }

  /**
   * Runs `task` as soon as there is a place, and settles as it does.
   *
   * @template T
   * @param {() => T | Promise<T>} task
   * @returns {Promise<T>}
   */
  add(task) {
    if (typeof task !== 'function') {
      return Promise.reject(new TypeError('task must be a function that returns a promise'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        this.#run(task).then(resolve, reject);
      });
      this.#startNext();
    });
  }

  /**
   * Resolves when no task runs or waits.
   *
   * @returns {Promise<void>}
   */
  onIdle() {
    if (this.#running === 0 && this.#waiting.length === 0) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve);
    });
  }

  async #run(task) {
    this.#running += 1;
    try {
      return await task();
    } finally {
      this.#running -= 1;
      this.#startNext();
    }
  }

  #startNext() {
    while (this.#running < this.#concurrency && this.#waiting.length > 0) {
      this.#waiting.shift()();
    }
    if (this.#running === 0) {
      this.#idleListeners.splice(0).forEach((resolve) => resolve());
    }
  }
}

/**
 * Maps items by an asynchronous function, with results in the order of the items.
 *
 * After the first failure no further item is started, and the returned promise rejects with that error.
 *
 * @template T, R
 * @param {Iterable<T>} items
 * @param {(item: T, index: number) => R | Promise<R>} mapper
 * @param {{ concurrency?: number }} [options]
 * @returns {Promise<R[]>}
 */
async function mapWithConcurrency(items, mapper, { concurrency = DEFAULT_CONCURRENCY } = {}) {
  checkConcurrency(concurrency);
  const results = [];
  const entries = [...items].entries();
  let failed = false;

  async function work() {
    // All workers share one iterator, so each item is taken once.
    for (const [index, item] of entries) {
      if (failed) return;
      try {
        results[index] = await mapper(item, index);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}

/**
 * Runs every task to its end, as `Promise.allSettled` does, at most `concurrency` at once.
 *
 * @template T
 * @param {Iterable<() => T | Promise<T>>} tasks
 * @param {{ concurrency?: number }} [options]
 * @returns {Promise<PromiseSettledResult<T>[]>}
 */
async function allSettledWithConcurrency(tasks, { concurrency = DEFAULT_CONCURRENCY } = {}) {
  const pool = new PromisePool(concurrency);
  return Promise.allSettled([...tasks].map((task) => pool.add(task)));
}

module.exports = { PromisePool, mapWithConcurrency, allSettledWithConcurrency, DEFAULT_CONCURRENCY };
