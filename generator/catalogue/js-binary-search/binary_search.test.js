'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { binarySearch, lowerBound, upperBound, searchRange, insertSorted } = require('./binary_search.js');

test('every item is found, and nothing else', () => {
  const items = Array.from({ length: 50 }, (_, index) => 2 * index);
  for (let value = -1; value <= 99; value += 1) {
    assert.equal(binarySearch(items, value), items.indexOf(value), String(value));
  }
});

test('arrays of every small length', () => {
  for (let length = 0; length < 9; length += 1) {
    const items = Array.from({ length }, (_, index) => index);
    items.forEach((value) => assert.equal(binarySearch(items, value), value));
    assert.equal(binarySearch(items, -1), -1);
    assert.equal(binarySearch(items, length), -1);
  }
});

test('the first of equal items is found', () => {
  assert.equal(binarySearch([1, 2, 2, 2, 3], 2), 1);
  assert.equal(binarySearch([2, 2, 2], 2), 0);
});

test('bounds are before and after equal items', () => {
  const items = [1, 2, 2, 4];
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((value) => lowerBound(items, value)), [0, 0, 1, 3, 3, 4]);
  assert.deepEqual([0, 1, 2, 3, 4, 5].map((value) => upperBound(items, value)), [0, 1, 3, 3, 4, 4]);
  assert.equal(lowerBound([], 1), 0);
});

test('ranges of equal items', () => {
  assert.deepEqual(searchRange([1, 2, 2, 2, 3], 2), { first: 1, last: 3 });
  assert.deepEqual(searchRange([1], 1), { first: 0, last: 0 });
  assert.equal(searchRange([1, 3], 2), null);
});

test('a comparator may compare items with something else', () => {
  const people = [{ id: 3, name: 'Ada' }, { id: 7, name: 'Grace' }];
  const byId = (person, id) => person.id - id;
  assert.equal(binarySearch(people, 7, byId), 1);
  assert.equal(binarySearch(people, 5, byId), -1);
});

test('descending order by a comparator', () => {
  assert.equal(binarySearch([9, 5, 1], 5, (a, b) => b - a), 1);
});

test('texts, dates and typed arrays', () => {
  assert.equal(binarySearch(['a', 'b', 'd'], 'b'), 1);
  assert.equal(binarySearch([new Date(1), new Date(5)], new Date(5)), 1);
  assert.equal(binarySearch(new Float64Array([0.5, 1.5]), 1.5), 1);
});

test('inserting keeps the order, after equal items', () => {
  const items = [];
  for (const value of [3, 1, 2, 2, 0]) insertSorted(items, value);
  assert.deepEqual(items, [0, 1, 2, 2, 3]);
  assert.equal(insertSorted([1, 1], 1), 2);
});

test('few comparisons are made', () => {
  let comparisons = 0;
  const items = Array.from({ length: 1_000_000 }, (_, index) => index);
  binarySearch(items, 777_777, (a, b) => {
    comparisons += 1;
    return a - b;
  });
  assert.ok(comparisons <= 22, String(comparisons));
});

test('only arrays', () => {
  for (const items of ['abc', null, undefined, {}]) assert.throws(() => binarySearch(items, 1), TypeError);
});
