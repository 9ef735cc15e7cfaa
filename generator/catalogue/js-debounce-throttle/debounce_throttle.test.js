'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { debounce, throttle } = require('./debounce_throttle.js');

function fakeTimers() {
  let now = 0;
  let nextHandle = 1;
  const tasks = new Map();
  return {
    setTimeout(callback, delayMs) {
      tasks.set(nextHandle, { at: now + delayMs, callback });
      return nextHandle++;
    },
    clearTimeout: (handle) => tasks.delete(handle),
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = [...tasks].filter(([, task]) => task.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
        if (due === undefined) break;
        tasks.delete(due[0]);
        now = due[1].at;
        due[1].callback();
      }
      now = end;
    },
  };
}

function recorder() {
  const calls = [];
  return { calls, fn: (...args) => calls.push(args) };
}

test('debounce waits for a pause and passes the latest arguments', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const debounced = debounce(fn, 100, { timers });
  debounced('a');
  timers.advance(99);
  debounced('b', 2);
  timers.advance(99);
  assert.deepEqual(calls, []);
  timers.advance(1);
  assert.deepEqual(calls, [['b', 2]]);
});

test('debounce runs again for the next burst', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const debounced = debounce(fn, 10, { timers });
  debounced(1);
  timers.advance(10);
  debounced(2);
  timers.advance(10);
  assert.deepEqual(calls, [[1], [2]]);
});

test('a leading debounce runs the first call at once and the last one after the pause', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const debounced = debounce(fn, 100, { leading: true, timers });
  debounced(1);
  assert.deepEqual(calls, [[1]]);
  debounced(2);
  debounced(3);
  timers.advance(100);
  assert.deepEqual(calls, [[1], [3]]);
});

test('a leading debounce runs a single call only once', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  debounce(fn, 100, { leading: true, timers })('only');
  timers.advance(1000);
  assert.deepEqual(calls, [['only']]);
});

test('cancel drops the waiting call, and flush runs it now', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const debounced = debounce(fn, 100, { timers });
  debounced('dropped');
  debounced.cancel();
  timers.advance(200);
  assert.deepEqual(calls, []);
  debounced('now');
  assert.equal(debounced.pending(), true);
  debounced.flush();
  debounced.flush();
  timers.advance(200);
  assert.deepEqual(calls, [['now']]);
  assert.equal(debounced.pending(), false);
});

test('throttle runs the first call at once and the last one at the end of the interval', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const throttled = throttle(fn, 100, { timers });
  [1, 2, 3].forEach((value) => throttled(value));
  assert.deepEqual(calls, [[1]]);
  timers.advance(100);
  assert.deepEqual(calls, [[1], [3]]);
});

test('throttle keeps the rate after a trailing call', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const throttled = throttle(fn, 100, { timers });
  for (let step = 0; step < 10; step += 1) {
    throttled(step);
    timers.advance(50);
  }
  assert.deepEqual(calls, [[0], [1], [3], [5], [7], [9]]);
});

test('throttle without trailing drops calls within the interval', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const throttled = throttle(fn, 100, { trailing: false, timers });
  throttled(1);
  throttled(2);
  timers.advance(100);
  throttled(3);
  assert.deepEqual(calls, [[1], [3]]);
});

test('a cancelled throttle runs the next call at once', () => {
  const timers = fakeTimers();
  const { calls, fn } = recorder();
  const throttled = throttle(fn, 100, { timers });
  throttled(1);
  throttled(2);
  throttled.cancel();
  throttled(3);
  timers.advance(500);
  assert.deepEqual(calls, [[1], [3]]);
});

test('the receiver is passed on', () => {
  const timers = fakeTimers();
  const target = { seen: null, name: 'target' };
  target.run = debounce(function run() {
    this.seen = this.name;
  }, 5, { timers });
  target.run();
  timers.advance(5);
  assert.equal(target.seen, 'target');
});

test('senseless arguments are refused', () => {
  for (const create of [debounce, throttle]) {
    assert.throws(() => create('text', 10), TypeError);
    for (const delayMs of [-1, NaN, Infinity, '10', undefined]) {
      assert.throws(() => create(() => {}, delayMs), RangeError);
    }
  }
});
