'use strict';

/**
 * @param {unknown} value
 * @param {string} name
 */
function checkIndex(value, name) {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be an integer of at least 0`);
  }
}

/**
 * Returns the Fibonacci number at a position: F(0) = 0, F(1) = 1. Exact, by fast doubling in O(log n) multiplications.
 *
 * @param {number} n
 * @returns {bigint}
 */
function fibonacci(n) {
  checkIndex(n, 'n');
  let [current, next] = [0n, 1n];
  for (const bit of n.toString(2)) {
    // F(2k) = F(k) * (2 F(k+1) - F(k)), and F(2k+1) = F(k)^2 + F(k+1)^2.
    const doubled = current * (2n * next - current);
    const afterDoubled = current * current + next * next;
    [current, next] = bit === '1' ? [afterDoubled, doubled + afterDoubled] : [doubled, afterDoubled];
  }
  return current;
}

/**
 * Yields all Fibonacci numbers, without end.
 *
 * @returns {Generator<bigint, never>}
 */
function* fibonacciNumbers() {
  let [current, next] = [0n, 1n];
  for (;;) {
    yield current;
    [current, next] = [next, current + next];
  }
}

/**
 * Returns the first `count` Fibonacci numbers.
 *
 * @param {number} count
 * @returns {bigint[]}
 */
function firstFibonacci(count) {
  checkIndex(count, 'count');
  const numbers = [];
  const source = fibonacciNumbers();
  while (numbers.length < count) {
    numbers.push(source.next().value);
  }
  return numbers;
}

/**
 * Returns the Fibonacci numbers up to a limit, which is included.
 *
 * @param {number | bigint} limit
 * @returns {bigint[]}
 */
function fibonacciUpTo(limit) {
  if (typeof limit !== 'bigint' && !Number.isFinite(limit)) {
    throw new RangeError('limit must be a finite number or a bigint');
  }
  const numbers = [];
  for (const number of fibonacciNumbers()) {
    if (number > limit) break;
    numbers.push(number);
  }
  return numbers;
}

/**
 * @param {number | bigint} value
 * @returns {boolean} False for what is not an integer of at least 0.
 */
function isFibonacci(value) {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return false;
  const wanted = BigInt(value);
  for (const number of fibonacciNumbers()) {
    if (number >= wanted) return number === wanted;
  }
  return false;
}

module.exports = { fibonacci, fibonacciNumbers, firstFibonacci, fibonacciUpTo, isFibonacci };
