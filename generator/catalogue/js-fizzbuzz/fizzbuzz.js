'use strict';

/**
 * A divisor and the word for its multiples.
 *
 * @typedef {readonly [divisor: number, word: string]} Rule
 */

/** @type {readonly Rule[]} */
const CLASSIC = Object.freeze([Object.freeze([3, 'Fizz']), Object.freeze([5, 'Buzz'])]);

/**
 * @param {unknown} value
 * @param {string} name
 */
function checkInteger(value, name) {
  if (!Number.isSafeInteger(value)) {
    throw new TypeError(`${name} must be an integer`);
  }
}

/** @param {readonly Rule[]} rules */
function checkRules(rules) {
  for (const [divisor, word] of rules) {
    if (!Number.isSafeInteger(divisor) || divisor < 1) {
      throw new RangeError('a divisor must be an integer of at least 1');
    }
    if (typeof word !== 'string' || word === '') {
      throw new TypeError('a word must be a non-empty string');
    }
  }
}

function answer(number, rules) {
  const words = rules.filter(([divisor]) => number % divisor === 0).map(([, word]) => word);
  return words.join('') || String(number);
}

/**
 * Returns the words of all rules that divide `number`, joined in order, or else the number as text.
 *
 * @param {number} number
 * @param {readonly Rule[]} [rules]
 * @returns {string}
 */
function fizzBuzz(number, rules = CLASSIC) {
  checkInteger(number, 'number');
  checkRules(rules);
  return answer(number, rules);
}

/**
 * Returns the answers for `first` to `last`, both included; none if `last` comes before `first`.
 *
 * @param {number} [last]
 * @param {{ first?: number, rules?: readonly Rule[] }} [options]
 * @returns {string[]}
 */
function fizzBuzzSequence(last = 100, { first = 1, rules = CLASSIC } = {}) {
  checkInteger(last, 'last');
  checkInteger(first, 'first');
  checkRules(rules);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => answer(first + index, rules));
}

module.exports = { fizzBuzz, fizzBuzzSequence, CLASSIC };

if (require.main === module) {
  console.log(fizzBuzzSequence().join('\n'));
}
