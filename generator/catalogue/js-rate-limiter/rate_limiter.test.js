'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { RateLimiter, DEFAULT_LIMIT, DEFAULT_WINDOW_SECONDS } = require('./rate_limiter.js');

function clock() {
  const now = () => now.time;
  now.time = 1000;
  return now;
}

function limiterOf(limit, windowMs, options = {}) {
  const now = clock();
  return { now, limiter: new RateLimiter({ limit, windowMs, now, ...options }) };
}

test('calls up to the limit are allowed, and the next is told how long to wait', () => {
  const { limiter, now } = limiterOf(2, 100);
  assert.deepEqual(limiter.take('ada'), { allowed: true, remaining: 1, retryAfterMs: 0 });
  now.time += 30;
  assert.deepEqual(limiter.take('ada'), { allowed: true, remaining: 0, retryAfterMs: 0 });
  assert.deepEqual(limiter.take('ada'), { allowed: false, remaining: 0, retryAfterMs: 70 });
});

test('waiting as long as told is enough, and no less', () => {
  const { limiter, now } = limiterOf(1, 100);
  limiter.take('ada');
  now.time += 99;
  assert.equal(limiter.take('ada').allowed, false);
  now.time += 1;
  assert.equal(limiter.take('ada').allowed, true);
});

test('the window slides: no burst of twice the limit around its edge', () => {
  const { limiter, now } = limiterOf(3, 100);
  now.time += 90;
  for (let call = 0; call < 3; call += 1) limiter.take('ada');
  now.time += 20;
  assert.equal(limiter.take('ada').allowed, false);
});

test('refused calls are not counted', () => {
  const { limiter, now } = limiterOf(1, 100);
  limiter.take('ada');
  for (let call = 0; call < 9; call += 1) {
    now.time += 10;
    assert.equal(limiter.take('ada').allowed, false);
  }
  now.time += 10;
  assert.equal(limiter.take('ada').allowed, true);
});

test('keys do not share a window', () => {
  const { limiter } = limiterOf(1, 100);
  assert.equal(limiter.take('ada').allowed, true);
  assert.equal(limiter.take('grace').allowed, true);
  assert.equal(limiter.take('ada').allowed, false);
});

test('peek counts nothing', () => {
  const { limiter } = limiterOf(1, 100);
  assert.deepEqual(limiter.peek('ada'), { allowed: true, remaining: 1, retryAfterMs: 0 });
  assert.equal(limiter.take('ada').allowed, true);
  assert.equal(limiter.peek('ada').allowed, false);
  assert.equal(limiter.size, 1);
});

test('reset forgets a key', () => {
  const { limiter } = limiterOf(1, 100);
  limiter.take('ada');
  limiter.reset('ada');
  assert.equal(limiter.take('ada').allowed, true);
});

test('prune forgets the keys without a recent call', () => {
  const { limiter, now } = limiterOf(5, 100);
  limiter.take('old');
  now.time += 60;
  limiter.take('new');
  now.time += 60;
  limiter.prune();
  assert.equal(limiter.size, 1);
  assert.equal(limiter.peek('new').remaining, 4);
});

test('memory is bounded, and the key that was used longest ago is forgotten first', () => {
  const { limiter } = limiterOf(1, 100, { maxKeys: 2 });
  ['a', 'b', 'a', 'c'].forEach((key) => limiter.take(key));
  assert.equal(limiter.size, 2);
  assert.equal(limiter.peek('a').allowed, false);
  assert.equal(limiter.peek('b').allowed, true);
});

test('the defaults are the constants', () => {
  const now = clock();
  const limiter = new RateLimiter({ now });
  assert.equal(limiter.peek('ada').remaining, DEFAULT_LIMIT);
  limiter.take('ada');
  now.time += DEFAULT_WINDOW_SECONDS * 1000;
  assert.equal(limiter.peek('ada').remaining, DEFAULT_LIMIT);
});

test('senseless settings are refused', () => {
  for (const options of [{ limit: 0 }, { limit: 1.5 }, { windowMs: 0 }, { windowMs: Infinity }, { maxKeys: 0 }, { limit: '5' }]) {
    assert.throws(() => new RateLimiter(options), RangeError, JSON.stringify(options));
  }
});
