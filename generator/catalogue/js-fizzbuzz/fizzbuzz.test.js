'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { fizzBuzz, fizzBuzzSequence, CLASSIC } = require('./fizzbuzz.js');

test('the classic rules', () => {
  const cases = { 1: '1', 3: 'Fizz', 5: 'Buzz', 15: 'FizzBuzz', 30: 'FizzBuzz', 98: '98', 99: 'Fizz', 100: 'Buzz' };
  for (const [number, expected] of Object.entries(cases)) assert.equal(fizzBuzz(Number(number)), expected);
});

test('zero and negative numbers', () => {
  assert.deepEqual([0, -3, -1, -15].map((number) => fizzBuzz(number)), ['FizzBuzz', 'Fizz', '-1', 'FizzBuzz']);
});

test('the first fifteen', () => {
  assert.equal(fizzBuzzSequence(15).join(' '), '1 2 Fizz 4 Buzz Fizz 7 8 Fizz Buzz 11 Fizz 13 14 FizzBuzz');
});

test('a hundred by default', () => {
  const answers = fizzBuzzSequence();
  const count = (word) => answers.filter((text) => text === word).length;
  assert.deepEqual([answers.length, count('Fizz'), count('Buzz'), count('FizzBuzz')], [100, 27, 14, 6]);
});

test('ranges include both ends', () => {
  assert.deepEqual(fizzBuzzSequence(6, { first: 4 }), ['4', 'Buzz', 'Fizz']);
  assert.deepEqual(fizzBuzzSequence(3, { first: 3 }), ['Fizz']);
  assert.deepEqual(fizzBuzzSequence(0), []);
});

test('own rules keep their order', () => {
  const rules = [[2, 'Even'], [7, 'Seven']];
  assert.deepEqual([2, 7, 14, 9].map((number) => fizzBuzz(number, rules)), ['Even', 'Seven', 'EvenSeven', '9']);
  assert.equal(fizzBuzz(15, []), '15');
  assert.deepEqual(fizzBuzzSequence(4, { rules: [[2, 'Even']] }), ['1', 'Even', '3', 'Even']);
});

test('the classic rules cannot be changed', () => {
  assert.throws(() => CLASSIC.push([7, 'Seven']), TypeError);
  assert.throws(() => {
    CLASSIC[0][0] = 2;
  }, TypeError);
});

test('misuse is refused', () => {
  for (const number of [1.5, '3', null, NaN, Infinity]) {
    assert.throws(() => fizzBuzz(number), /number must be an integer/);
    assert.throws(() => fizzBuzzSequence(number), /last/);
  }
  for (const rule of [[0, 'Zero'], [-3, 'Minus'], [3, ''], [3, 4]]) assert.throws(() => fizzBuzz(3, [rule]), /must be/);
});
