'use strict';

/**
 * Returns a negative number, 0 or a positive number, as for `Array.prototype.sort`.
 *
 * @template T
 * @typedef {(a: T, b: T) => number} Comparator
 */

/** @type {Comparator<any>} Compares by `<` and `>`: numbers as numbers, unlike the default of `Array.prototype.sort`. */
function natural(a, b) {
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

/**
 * @template T
 * @param {Iterable<T>} items
 * @param {unknown} compare
 * @returns {T[]}
 */
function copyOf(items, compare) {
  if (typeof compare !== 'function') {
    throw new TypeError('compare must be a function');
  }
  return [...items];
}

function swap(items, i, j) {
  [items[i], items[j]] = [items[j], items[i]];
}

/**
 * Sorts in O(n^2), in O(n) when sorted already; stable.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Comparator<T>} [compare]
 * @returns {T[]}
 */
function bubbleSort(items, compare = natural) {
  const sorted = copyOf(items, compare);
  let end = sorted.length;
  while (end > 1) {
    let lastSwap = 0;
    for (let index = 1; index < end; index += 1) {
      if (compare(sorted[index - 1], sorted[index]) > 0) {
        swap(sorted, index - 1, index);
        lastSwap = index;
      }
    }
    // Everything behind the last exchange is in its place.
    end = lastSwap;
  }
  return sorted;
}

/**
 * Sorts in O(n^2), in O(n) when nearly sorted; stable.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Comparator<T>} [compare]
 * @returns {T[]}
 */
function insertionSort(items, compare = natural) {
  const sorted = copyOf(items, compare);
  for (let end = 1; end < sorted.length; end += 1) {
    const item = sorted[end];
    let at = end;
    while (at > 0 && compare(sorted[at - 1], item) > 0) {
      sorted[at] = sorted[at - 1];
      at -= 1;
    }
    sorted[at] = item;
  }
  return sorted;
}

function merge(left, right, compare) {
  const merged = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    // On a tie the left item comes first, which makes the sort stable.
    merged.push(compare(left[i], right[j]) <= 0 ? left[i++] : right[j++]);
  }
  return merged.concat(left.slice(i), right.slice(j));
}

/**
 * Sorts in O(n log n) always; stable. Merges bottom up, so depth does not matter.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Comparator<T>} [compare]
 * @returns {T[]}
 */
function mergeSort(items, compare = natural) {
  let runs = copyOf(items, compare).map((item) => [item]);
  while (runs.length > 1) {
    const merged = [];
    for (let index = 0; index < runs.length; index += 2) {
      merged.push(index + 1 < runs.length ? merge(runs[index], runs[index + 1], compare) : runs[index]);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

/** Moves the items between `low` and `high` into parts below, equal to and above a pivot. */
function partition(items, low, high, compare) {
  const pivot = items[low + Math.floor((high - low) / 2)];
  let [below, at, above] = [low, low, high];
  while (at <= above) {
    const order = compare(items[at], pivot);
    if (order < 0) {
      swap(items, below, at);
      below += 1;
      at += 1;
    } else if (order > 0) {
      swap(items, at, above);
      above -= 1;
    } else {
      at += 1;
    }
  }
  return [below - 1, above + 1];
}

/**
 * Sorts in O(n log n) on average, O(n^2) at worst; not stable. Sorted and equal items do no harm.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Comparator<T>} [compare]
 * @returns {T[]}
 */
function quickSort(items, compare = natural) {
  const sorted = copyOf(items, compare);
  const pending = [[0, sorted.length - 1]];
  while (pending.length > 0) {
    const [low, high] = pending.pop();
    if (low >= high) continue;
    const [belowEnd, aboveStart] = partition(sorted, low, high, compare);
    pending.push([low, belowEnd], [aboveStart, high]);
  }
  return sorted;
}

function siftDown(items, start, end, compare) {
  let root = start;
  for (;;) {
    let child = 2 * root + 1;
    if (child >= end) return;
    if (child + 1 < end && compare(items[child], items[child + 1]) < 0) child += 1;
    if (compare(items[root], items[child]) >= 0) return;
    swap(items, root, child);
    root = child;
  }
}

/**
 * Sorts in O(n log n) always, with a binary heap; not stable.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Comparator<T>} [compare]
 * @returns {T[]}
 */
function heapSort(items, compare = natural) {
  const sorted = copyOf(items, compare);
  for (let root = Math.floor(sorted.length / 2) - 1; root >= 0; root -= 1) {
    siftDown(sorted, root, sorted.length, compare);
  }
  for (let end = sorted.length - 1; end > 0; end -= 1) {
    swap(sorted, 0, end);
    siftDown(sorted, 0, end, compare);
  }
  return sorted;
}

module.exports = { bubbleSort, insertionSort, mergeSort, quickSort, heapSort };
