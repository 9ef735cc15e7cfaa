'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { bubbleSort, insertionSort, mergeSort, quickSort, heapSort } = require('./sorting.js');

const ALL = [bubbleSort, insertionSort, mergeSort, quickSort, heapSort];
const STABLE = [bubbleSort, insertionSort, mergeSort];
const FAST = [mergeSort, quickSort, heapSort];

const ascending = (a, b) => a - b;

/** A linear congruential generator, so that a failure can be repeated. */
function randomIntegers(count, bound, seed) {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state % bound;
  });
}

for (const sort of ALL) {
  test(`${sort.name}: small arrays`, () => {
    for (const items of [[], [1], [2, 1], [1, 2, 3], [3, 2, 1], [5, 5, 5], [0, -1, 7, -1, 3], [10, 9, 1]]) {
      assert.deepEqual(sort(items), [...items].sort(ascending));
    }
    assert.deepEqual(sort(['b', '', 'a']), ['', 'a', 'b']);
  });

  test(`${sort.name}: random arrays agree with the built-in sort`, () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const items = randomIntegers(seed % 37, 20, seed);
      assert.deepEqual(sort(items), [...items].sort(ascending));
      assert.deepEqual(sort(items, (a, b) => b - a), [...items].sort(ascending).reverse());
    }
  });

  test(`${sort.name}: the argument is left alone and may be any iterable`, () => {
    const items = Object.freeze([3, 1, 2]);
    assert.deepEqual(sort(items), [1, 2, 3]);
    assert.deepEqual(sort(new Set([2, 1])), [1, 2]);
  });
}

test('stable sorts keep equal items in their order', () => {
  const items = [['b', 1], ['a', 1], ['c', 0], ['a', 0], ['b', 0], ['c', 1]];
  const expected = [['c', 0], ['a', 0], ['b', 0], ['b', 1], ['a', 1], ['c', 1]];
  for (const sort of STABLE) assert.deepEqual(sort(items, (a, b) => a[1] - b[1]), expected, sort.name);
});

test('inputs that ruin a naive implementation', () => {
  const count = 20_000;
  const rising = Array.from({ length: count }, (_, index) => index);
  for (const sort of FAST) {
    assert.deepEqual(sort(rising), rising, sort.name);
    assert.deepEqual(sort([...rising].reverse()), rising, sort.name);
    assert.equal(sort(new Array(count).fill(1)).length, count, sort.name);
  }
});

test('a sorted array takes linear time in the simple sorts', () => {
  const rising = Array.from({ length: 1000 }, (_, index) => index);
  for (const sort of [bubbleSort, insertionSort]) {
    let comparisons = 0;
    sort(rising, (a, b) => {
      comparisons += 1;
      return a - b;
    });
    assert.equal(comparisons, 999, sort.name);
  }
});

test('the comparator must be a function', () => {
  for (const sort of ALL) assert.throws(() => sort([1], 'ascending'), TypeError);
});
