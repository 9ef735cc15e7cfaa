'use strict';

/**
 * A property's name, or a function of an item.
 *
 * @template T
 * @typedef {keyof T | ((item: T) => any)} Selector
 */

/**
 * @template T
 * @param {Selector<T>} selector
 * @returns {(item: T) => any}
 */
function selectorOf(selector) {
  if (typeof selector === 'function') return selector;
  if (['string', 'number', 'symbol'].includes(typeof selector)) return (item) => item[selector];
  throw new TypeError('a selector must be a function or the name of a property');
}

/**
 * @param {unknown} value
 * @param {string} name
 * @param {number} least
 */
function checkInteger(value, name, least) {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} must be an integer of at least ${least}`);
  }
}

/**
 * Groups items by key, in order of first appearance. A `Map` keeps the type of the keys.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Selector<T>} selector
 * @returns {Map<any, T[]>}
 */
function groupBy(items, selector) {
  const keyOf = selectorOf(selector);
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    if (!groups.has(key)) groups.set(key, []);
    groups.get(key).push(item);
  }
  return groups;
}

/**
 * Counts items by key.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Selector<T>} selector
 * @returns {Map<any, number>}
 */
function countBy(items, selector) {
  return new Map([...groupBy(items, selector)].map(([key, group]) => [key, group.length]));
}

/**
 * Splits an array into parts of `size` items; the last one may be shorter.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {number} size
 * @returns {T[][]}
 */
function chunk(items, size) {
  checkInteger(size, 'size', 1);
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/**
 * Returns the first item of each key; without a selector, each item is its own key. `NaN` equals itself.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {Selector<T>} [selector]
 * @returns {T[]}
 */
function unique(items, selector = (item) => item) {
  return [...groupBy(items, selector).values()].map(([first]) => first);
}

/**
 * Replaces nested arrays by their items, to a depth; completely by default.
 *
 * @param {readonly any[]} items
 * @param {number} [depth]
 * @returns {any[]}
 */
function flatten(items, depth = Infinity) {
  if (depth !== Infinity) checkInteger(depth, 'depth', 0);
  const flat = [];
  for (const item of items) {
    if (Array.isArray(item) && depth > 0) {
      for (const inner of flatten(item, depth - 1)) flat.push(inner);
    } else {
      flat.push(item);
    }
  }
  return flat;
}

function compare(a, b) {
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : Number(a > b);
  // Missing values come last in ascending order.
  const isMissing = (value) => value === undefined || value === null || Number.isNaN(value);
  if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b));
  return a < b ? -1 : Number(a > b);
}

/**
 * Returns a sorted copy. Further selectors decide between equal items; the sort is stable.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {...(Selector<T> | { by: Selector<T>, descending: boolean })} criteria
 * @returns {T[]}
 */
function sortBy(items, ...criteria) {
  const steps = criteria.map((criterion) => {
    const { by, descending } = typeof criterion === 'object' && criterion !== null ? criterion : { by: criterion, descending: false };
    return { keyOf: selectorOf(by), sign: descending ? -1 : 1 };
  });
  return [...items].sort((a, b) => {
    for (const { keyOf, sign } of steps) {
      const order = sign * compare(keyOf(a), keyOf(b));
      if (order !== 0) return order;
    }
    return 0;
  });
}

/**
 * Splits items into those that meet a condition and those that do not.
 *
 * @template T
 * @param {Iterable<T>} items
 * @param {(item: T) => unknown} condition
 * @returns {[T[], T[]]}
 */
function partition(items, condition) {
  const groups = groupBy(items, (item) => Boolean(condition(item)));
  return [groups.get(true) ?? [], groups.get(false) ?? []];
}

/**
 * Returns the items of `a` that are in `b`, each once.
 *
 * @template T
 * @param {Iterable<T>} a
 * @param {Iterable<T>} b
 * @returns {T[]}
 */
function intersection(a, b) {
  const wanted = new Set(b);
  return unique(a).filter((item) => wanted.has(item));
}

/**
 * Returns the items of `a` that are not in `b`, each once.
 *
 * @template T
 * @param {Iterable<T>} a
 * @param {Iterable<T>} b
 * @returns {T[]}
 */
function difference(a, b) {
  const unwanted = new Set(b);
  return unique(a).filter((item) => !unwanted.has(item));
}

module.exports = { groupBy, countBy, chunk, unique, flatten, sortBy, partition, intersection, difference };
