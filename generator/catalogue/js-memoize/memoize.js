'use strict';

/** Marks the result in a node of the tree of arguments. */
const RESULT = Symbol('result');

/**
 * Results by their lists of arguments: a tree of maps with one level for each argument.
 *
 * Arguments are compared as keys of a `Map` are: objects by identity, `NaN` equals itself.
 */
class ArgumentTree {
  #root = new Map();

  #find(args) {
    let level = this.#root;
    for (const arg of args) {
      level = level?.get(arg);
    }
    return level;
  }

  has(args) {
    return this.#find(args)?.has(RESULT) ?? false;
  }

  get(args) {
    return this.#find(args)?.get(RESULT);
  }

  set(args, value) {
    let level = this.#root;
    for (const arg of args) {
      if (!level.has(arg)) level.set(arg, new Map());
      level = level.get(arg);
    }
    level.set(RESULT, value);
  }

  delete(args) {
    const path = [this.#root];
    for (const arg of args) {
      path.push(path.at(-1)?.get(arg));
    }
    const isFound = path.at(-1)?.delete(RESULT) ?? false;
    // Empty levels are removed, so that dropped results leave nothing behind.
    for (let depth = args.length; depth > 0 && path[depth]?.size === 0; depth -= 1) {
      path[depth - 1].delete(args[depth - 1]);
    }
    return isFound;
  }

  clear() {
    this.#root = new Map();
  }
}

/** @param {unknown} value */
function isThenable(value) {
  return typeof value === 'object' && value !== null && typeof value.then === 'function';
}

/**
 * @param {unknown} fn
 * @param {number} maxSize
 */
function checkArguments(fn, maxSize) {
  if (typeof fn !== 'function') {
    throw new TypeError('fn must be a function');
  }
  if (maxSize !== Infinity && (!Number.isInteger(maxSize) || maxSize < 1)) {
    throw new RangeError('maxSize must be an integer of at least 1, or Infinity');
  }
}

/**
 * Returns a function that calls `fn` once for each list of arguments and then returns the stored result.
 *
 * A call that throws, and a promise that rejects, is not stored.
 *
 * @template {(...args: any[]) => any} F
 * @param {F} fn
 * @param {{ maxSize?: number, key?: (...args: Parameters<F>) => unknown }} [options]
 *   `maxSize` bounds the number of results, the oldest of which is dropped; `key` replaces the arguments in the comparison.
 * @returns {F & { clear: () => void, forget: (...args: Parameters<F>) => boolean, size: () => number }}
 */
function memoize(fn, { maxSize = Infinity, key } = {}) {
  checkArguments(fn, maxSize);
  const results = new ArgumentTree();
  /** @type {Set<unknown[]>} The lists of arguments with a result, the oldest first. */
  const order = new Set();
  const keyOf = (args) => (key === undefined ? args : [key(...args)]);

  function drop(args) {
    for (const stored of order) {
      if (stored.length === args.length && stored.every((value, index) => Object.is(value, args[index]))) {
        order.delete(stored);
        break;
      }
    }
    return results.delete(args);
  }

  function store(args, value) {
    if (order.size >= maxSize) {
      const [oldest] = order;
      order.delete(oldest);
      results.delete(oldest);
    }
    order.add(args);
    results.set(args, value);
    if (isThenable(value)) {
      value.then(undefined, () => results.get(args) === value && drop(args));
    }
  }

  function memoized(...args) {
    const stored = keyOf(args);
    if (results.has(stored)) return results.get(stored);
    const value = fn.apply(this, args);
    // `fn` may have called itself with the same arguments through the memoized function.
    if (!results.has(stored)) store(stored, value);
    return value;
  }

  return Object.assign(memoized, {
    clear() {
      results.clear();
      order.clear();
    },
    forget: (...args) => drop(keyOf(args)),
    size: () => order.size,
  });
}

module.exports = { memoize };
