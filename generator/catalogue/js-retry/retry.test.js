'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { retry, backoffDelay, abortableSleep, DEFAULT_ATTEMPTS } = require('./retry.js');

function failing(times, value = 'done') {
  let calls = 0;
  const operation = async () => {
    calls += 1;
    if (calls <= times) throw new Error(`failure ${calls}`);
    return value;
  };
  return { operation, calls: () => calls };
}

function recordingSleep() {
  const delays = [];
  return { delays, sleep: async (delayMs) => void delays.push(delayMs) };
}

test('a success needs one attempt and no delay', async () => {
  const { delays, sleep } = recordingSleep();
  const { operation, calls } = failing(0);
  assert.equal(await retry(operation, { sleep }), 'done');
  assert.deepEqual([calls(), delays], [1, []]);
});

test('delays double up to the bound', async () => {
  const { delays, sleep } = recordingSleep();
  const { operation } = failing(5);
  const options = { attempts: 6, baseDelayMs: 100, maxDelayMs: 500, random: () => 0.5, sleep };
  assert.equal(await retry(operation, options), 'done');
  assert.deepEqual(delays, [50, 100, 200, 250, 250]);
});

test('the last error is thrown after the last attempt', async () => {
  const { sleep } = recordingSleep();
  const { operation, calls } = failing(99);
  await assert.rejects(retry(operation, { attempts: 4, sleep }), /failure 4/);
  assert.equal(calls(), 4);
});

test('the default number of attempts is the constant', async () => {
  const { sleep } = recordingSleep();
  const { operation, calls } = failing(Infinity);
  await assert.rejects(retry(operation, { sleep }));
  assert.equal(calls(), DEFAULT_ATTEMPTS);
});

test('errors that are not worth it end at once', async () => {
  const { sleep } = recordingSleep();
  const { operation, calls } = failing(9);
  const shouldRetry = (error) => error.message !== 'failure 2';
  await assert.rejects(retry(operation, { attempts: 9, shouldRetry, sleep }), /failure 2/);
  assert.equal(calls(), 2);
});

test('each retry is announced with its error, attempt and delay', async () => {
  const seen = [];
  const { sleep } = recordingSleep();
  const onRetry = (error, attempt, delayMs) => seen.push([error.message, attempt, delayMs]);
  await retry(failing(2).operation, { attempts: 3, baseDelayMs: 10, random: () => 0.9, onRetry, sleep });
  assert.deepEqual(seen, [['failure 1', 1, 9], ['failure 2', 2, 18]]);
});

test('the operation receives its attempt, and may throw synchronously', async () => {
  const { sleep } = recordingSleep();
  const attempts = [];
  const value = await retry((attempt) => {
    attempts.push(attempt);
    if (attempt < 2) throw new Error('sync');
    return attempt;
  }, { attempts: 2, sleep });
  assert.deepEqual([value, attempts], [2, [1, 2]]);
});

test('an abort ends a running delay', async () => {
  const controller = new AbortController();
  const { operation, calls } = failing(9);
  const onRetry = () => setImmediate(() => controller.abort(new Error('stopped')));
  const options = { attempts: 9, baseDelayMs: 60_000, maxDelayMs: 60_000, random: () => 0.9, onRetry, signal: controller.signal };
  await assert.rejects(retry(operation, options), /stopped/);
  assert.equal(calls(), 1);
});

test('nothing is called after an abort', async () => {
  const { operation, calls } = failing(0);
  await assert.rejects(retry(operation, { signal: AbortSignal.abort(new Error('early')) }), /early/);
  assert.equal(calls(), 0);
  await assert.rejects(abortableSleep(1, AbortSignal.abort(new Error('early'))), /early/);
});

test('a delay is below its bound, whatever the attempt', () => {
  assert.equal(backoffDelay(1, { random: () => 0 }), 0);
  assert.equal(backoffDelay(2000, { maxDelayMs: 300, random: () => 0.999 }), 299);
});

test('misuse is refused', async () => {
  await assert.rejects(retry('text'), TypeError);
  for (const attempts of [0, 1.5, NaN, '3']) {
    await assert.rejects(retry(() => 1, { attempts }), RangeError);
  }
  await assert.rejects(retry(() => 1, { baseDelayMs: -1 }), /baseDelayMs/);
  await assert.rejects(retry(() => 1, { maxDelayMs: Infinity }), /maxDelayMs/);
});
