'use strict';

/**
 * Returns a negative number, 0 or a positive number, as for `Array.prototype.sort`.
 *
 * @template T, V
 * @typedef {(item: T, value: V) => number} Comparator
 */

/** @type {Comparator<any, any>} */
function natural(item, value) {
  if (item < value) return -1;
  return item > value ? 1 : 0;
}

/** @param {unknown} items */
function checkArray(items) {
  if (!Array.isArray(items) && !ArrayBuffer.isView(items)) {
    throw new TypeError('items must be an array');
  }
}

/** Returns the index of the first item that meets a condition which holds from some item on. */
function firstWhere(items, condition) {
  checkArray(items);
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (condition(items[middle])) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

/**
 * Returns the index of the first item that is not less than `value`: where to insert it before equal ones.
 *
 * @template T, V
 * @param {ArrayLike<T>} items In ascending order by `compare`.
 * @param {V} value
 * @param {Comparator<T, V>} [compare]
 * @returns {number} From 0 to the number of items.
 */
function lowerBound(items, value, compare = natural) {
  return firstWhere(items, (item) => compare(item, value) >= 0);
}

/**
 * Returns the index of the first item that is greater than `value`: where to insert it after equal ones.
 *
 * @template T, V
 * @param {ArrayLike<T>} items
 * @param {V} value
 * @param {Comparator<T, V>} [compare]
 * @returns {number}
 */
function upperBound(items, value, compare = natural) {
  return firstWhere(items, (item) => compare(item, value) > 0);
}

/**
 * Returns the index of the first item that equals `value`, or -1.
 *
 * @template T, V
 * @param {ArrayLike<T>} items
 * @param {V} value
 * @param {Comparator<T, V>} [compare]
 * @returns {number}
 */
function binarySearch(items, value, compare = natural) {
  const index = lowerBound(items, value, compare);
  return index < items.length && compare(items[index], value) === 0 ? index : -1;
}

/**
 * Returns the first and the last index of `value`, or null.
 *
 * @template T, V
 * @param {ArrayLike<T>} items
 * @param {V} value
 * @param {Comparator<T, V>} [compare]
 * @returns {{ first: number, last: number } | null}
 */
function searchRange(items, value, compare = natural) {
  const first = binarySearch(items, value, compare);
  return first < 0 ? null : { first, last: upperBound(items, value, compare) - 1 };
}

/**
 * Inserts `value` after equal items, in place.
 *
 * @template T
 * @param {T[]} items
 * @param {T} value
 * @param {Comparator<T, T>} [compare]
 * @returns {number} Its index.
 */
function insertSorted(items, value, compare = natural) {
  const index = upperBound(items, value, compare);
  items.splice(index, 0, value);
  return index;
}

module.exports = { binarySearch, lowerBound, upperBound, searchRange, insertSorted };
