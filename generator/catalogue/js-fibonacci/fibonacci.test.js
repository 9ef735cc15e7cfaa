'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { fibonacci, fibonacciNumbers, firstFibonacci, fibonacciUpTo, isFibonacci } = require('./fibonacci.js');

const FIRST = [0n, 1n, 1n, 2n, 3n, 5n, 8n, 13n, 21n, 34n, 55n];

test('the first numbers', () => {
  assert.deepEqual(FIRST.map((_, index) => fibonacci(index)), FIRST);
  assert.deepEqual(firstFibonacci(11), FIRST);
});

test('large numbers are exact', () => {
  assert.equal(fibonacci(100), 354224848179261915075n);
  assert.equal(fibonacci(1000) % 10_000_000_000n, 6849228875n);
  assert.equal(String(fibonacci(100_000)).length, 20_899);
});

test('doubling agrees with addition', () => {
  const added = firstFibonacci(300);
  added.forEach((number, index) => assert.equal(fibonacci(index), number));
});

test('no numbers, and one', () => {
  assert.deepEqual([firstFibonacci(0), firstFibonacci(1)], [[], [0n]]);
});

test('numbers up to a limit, which is included', () => {
  assert.deepEqual(fibonacciUpTo(13), FIRST.slice(0, 8));
  assert.deepEqual(fibonacciUpTo(12.5), FIRST.slice(0, 7));
  assert.deepEqual(fibonacciUpTo(55n), FIRST);
  assert.deepEqual(fibonacciUpTo(-1), []);
});

test('the generator is lazy', () => {
  const source = fibonacciNumbers();
  assert.deepEqual([source.next().value, source.next().value, source.next().value], [0n, 1n, 1n]);
});

test('membership', () => {
  for (const value of [0, 1, 2, 21, 55n, 354224848179261915075n]) assert.equal(isFibonacci(value), true, String(value));
  for (const value of [4, -1, 1.5, NaN, '8', 354224848179261915076n]) assert.equal(isFibonacci(value), false, String(value));
});

test('misuse is refused', () => {
  for (const n of [-1, 1.5, NaN, '5', 5n, undefined]) {
    assert.throws(() => fibonacci(n), RangeError);
    assert.throws(() => firstFibonacci(n), /count/);
  }
  for (const limit of [Infinity, NaN, 'x']) assert.throws(() => fibonacciUpTo(limit), /limit/);
});
