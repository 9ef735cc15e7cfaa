'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { LruCache, DEFAULT_CAPACITY } = require('./lru_cache.js');

function clock() {
  const now = () => now.time;
  now.time = 0;
  return now;
}

test('the least recently used entry is dropped first', () => {
  const cache = new LruCache(2).set('a', 1).set('b', 2);
  assert.equal(cache.get('a'), 1);
  cache.set('c', 3);
  assert.equal(cache.has('b'), false);
  assert.deepEqual([...cache], [['a', 1], ['c', 3]]);
});

test('overwriting renews an entry and drops none', () => {
  const cache = new LruCache(2).set('a', 1).set('b', 2).set('a', 3);
  assert.equal(cache.size, 2);
  cache.set('c', 4);
  assert.deepEqual([...cache], [['a', 3], ['c', 4]]);
});

test('peek and has do not count as use', () => {
  const cache = new LruCache(2).set('a', 1).set('b', 2);
  assert.equal(cache.peek('a'), 1);
  assert.equal(cache.has('a'), true);
  cache.set('c', 3);
  assert.equal(cache.has('a'), false);
});

test('a missing key has no value', () => {
  const cache = new LruCache(1);
  assert.equal(cache.get('missing'), undefined);
  assert.equal(cache.peek('missing'), undefined);
});

test('undefined is a value', () => {
  const cache = new LruCache(1).set('a', undefined);
  assert.equal(cache.has('a'), true);
  assert.equal(cache.get('a'), undefined);
});

test('keys may be objects and NaN', () => {
  const key = {};
  const cache = new LruCache(2).set(key, 'object').set(NaN, 'nan');
  assert.equal(cache.get(key), 'object');
  assert.equal(cache.get({}), undefined);
  assert.equal(cache.get(NaN), 'nan');
});

test('entries expire, and storing again renews the lifetime', () => {
  const now = clock();
  const cache = new LruCache(5, { ttlMs: 100, now }).set('a', 1).set('b', 2);
  now.time = 60;
  cache.set('a', 3);
  now.time = 100;
  assert.equal(cache.get('b'), undefined);
  assert.equal(cache.get('a'), 3);
  assert.deepEqual([...cache], [['a', 3]]);
  now.time = 160;
  assert.equal(cache.has('a'), false);
  assert.equal(cache.size, 0);
});

test('delete says whether a live entry was there', () => {
  const now = clock();
  const cache = new LruCache(5, { ttlMs: 10, now }).set('a', 1).set('b', 2);
  assert.equal(cache.delete('a'), true);
  assert.equal(cache.delete('a'), false);
  now.time = 10;
  assert.equal(cache.delete('b'), false);
});

test('clear removes everything', () => {
  const cache = new LruCache(3).set('a', 1);
  cache.clear();
  assert.deepEqual([cache.size, [...cache]], [0, []]);
});

test('the default capacity is the constant', () => {
  const cache = new LruCache();
  for (let key = 0; key <= DEFAULT_CAPACITY; key += 1) cache.set(key, key);
  assert.equal(cache.size, DEFAULT_CAPACITY);
  assert.equal(cache.capacity, DEFAULT_CAPACITY);
  assert.equal(cache.has(0), false);
});

test('senseless settings are refused', () => {
  for (const capacity of [0, -1, 1.5, NaN, '3', null]) {
    assert.throws(() => new LruCache(capacity), RangeError);
  }
  for (const ttlMs of [0, -1, NaN, '5']) {
    assert.throws(() => new LruCache(1, { ttlMs }), /ttlMs/);
  }
});
