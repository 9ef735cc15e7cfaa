'use strict';

/** Number of attempts, the first included. */
const DEFAULT_ATTEMPTS = 3;

/**
 * @typedef {object} RetryOptions
 * @property {number} [attempts] Number of attempts, the first included.
 * @property {number} [baseDelayMs] Upper bound of the first delay; it doubles with each failure.
 * @property {number} [maxDelayMs] Upper bound of every delay.
 * @property {(error: unknown, attempt: number) => boolean} [shouldRetry] Says whether an error is worth another attempt.
 * @property {(error: unknown, attempt: number, delayMs: number) => void} [onRetry] Called before each delay.
 * @property {AbortSignal} [signal] Ends the retries, a running delay included.
 * @property {(delayMs: number, signal?: AbortSignal) => Promise<void>} [sleep]
 * @property {() => number} [random] Returns a number of at least 0 and below 1.
 */

/**
 * Waits, or rejects with the signal's reason as soon as it is aborted.
 *
 * @param {number} delayMs
 * @param {AbortSignal} [signal]
 * @returns {Promise<void>}
 */
function abortableSleep(delayMs, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(handle);
      reject(signal.reason);
    };
    const handle = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * @param {number} attempts
 * @param {number} baseDelayMs
 * @param {number} maxDelayMs
 */
function checkSettings(attempts, baseDelayMs, maxDelayMs) {
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new RangeError('attempts must be an integer of at least 1');
  }
  for (const [name, value] of Object.entries({ baseDelayMs, maxDelayMs })) {
    if (!Number.isFinite(value) || value < 0) {
      throw new RangeError(`${name} must be a finite number of milliseconds, at least 0`);
    }
  }
}

/**
 * Returns the delay after a failed attempt: a random part ("full jitter") of a bound that doubles each time.
 *
 * @param {number} attempt The number of the failed attempt, from 1.
 * @param {{ baseDelayMs?: number, maxDelayMs?: number, random?: () => number }} [options]
 * @returns {number}
 */
function backoffDelay(attempt, { baseDelayMs = 100, maxDelayMs = 10_000, random = Math.random } = {}) {
  const bound = Math.min(maxDelayMs, baseDelayMs * 2 ** (attempt - 1));
  return Math.floor(random() * bound);
}

/**
 * Calls `operation` until it succeeds, and returns its value; rejects with the last error after the last attempt.
 *
 * @template T
 * @param {(attempt: number) => T | Promise<T>} operation
 * @param {RetryOptions} [options]
 * @returns {Promise<T>}
 */
async function retry(operation, options = {}) {
  const { attempts = DEFAULT_ATTEMPTS, baseDelayMs = 100, maxDelayMs = 10_000, signal } = options;
  const { shouldRetry = () => true, onRetry = () => {}, sleep = abortableSleep, random = Math.random } = options;
  if (typeof operation !== 'function') {
    throw new TypeError('operation must be a function');
  }
  checkSettings(attempts, baseDelayMs, maxDelayMs);

  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      return await operation(attempt);
    } catch (error) {
      if (attempt >= attempts || signal?.aborted || !shouldRetry(error, attempt)) {
        throw error;
      }
      const delayMs = backoffDelay(attempt, { baseDelayMs, maxDelayMs, random });
      onRetry(error, attempt, delayMs);
      await sleep(delayMs, signal);
    }
  }
}

module.exports = { retry, backoffDelay, abortableSleep, DEFAULT_ATTEMPTS };
