'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { groupBy, countBy, chunk, unique, flatten, sortBy, partition, intersection, difference } = require('./array_tools.js');

const PEOPLE = Object.freeze([
  { name: 'Ada', team: 'b', age: 36 },
  { name: 'Grace', team: 'a', age: 85 },
  { name: 'Alan', team: 'b', age: 41 },
  { name: 'Edsger', team: 'a', age: 41 },
]);
const names = (people) => people.map((person) => person.name);

test('groups are in order of first appearance', () => {
  const groups = groupBy(PEOPLE, 'team');
  assert.deepEqual([...groups].map(([team, people]) => [team, names(people)]), [['b', ['Ada', 'Alan']], ['a', ['Grace', 'Edsger']]]);
  assert.deepEqual([...groupBy([1, '1', 2], (value) => value).keys()], [1, '1', 2]);
  assert.equal(groupBy([], 'team').size, 0);
});

test('keys such as __proto__ are ordinary', () => {
  assert.deepEqual([...groupBy(['__proto__', 'constructor'], (text) => text).keys()], ['__proto__', 'constructor']);
});

test('counts', () => {
  assert.deepEqual([...countBy('banana', (letter) => letter)], [['b', 1], ['a', 3], ['n', 2]]);
});

test('chunks', () => {
  assert.deepEqual(chunk([1, 2, 3, 4, 5], 2), [[1, 2], [3, 4], [5]]);
  assert.deepEqual(chunk([1, 2], 2), [[1, 2]]);
  assert.deepEqual(chunk([1], 9), [[1]]);
  assert.deepEqual(chunk([], 3), []);
  for (const size of [0, -1, 1.5, '2', undefined]) assert.throws(() => chunk([1], size), RangeError);
});

test('unique keeps the first of equal items', () => {
  assert.deepEqual(unique([3, 1, 3, NaN, NaN, '3', 0, -0]), [3, 1, NaN, '3', 0]);
  assert.deepEqual(names(unique(PEOPLE, 'age')), ['Ada', 'Grace', 'Alan']);
  assert.deepEqual(unique(['a', 'A', 'b'], (text) => text.toLowerCase()), ['a', 'b']);
});

test('flatten goes as deep as wanted', () => {
  const nested = [1, [2, [3, [4, []]]], 'text'];
  assert.deepEqual(flatten(nested), [1, 2, 3, 4, 'text']);
  assert.deepEqual(flatten(nested, 1), [1, 2, [3, [4, []]], 'text']);
  assert.deepEqual(flatten(nested, 0), nested);
  assert.equal(flatten([Array.from({ length: 200_000 }, () => 0)]).length, 200_000);
  assert.throws(() => flatten([], -1), RangeError);
});

test('sorting by several criteria', () => {
  assert.deepEqual(names(sortBy(PEOPLE, 'age')), ['Ada', 'Alan', 'Edsger', 'Grace']);
  assert.deepEqual(names(sortBy(PEOPLE, 'team', { by: 'age', descending: true })), ['Grace', 'Edsger', 'Alan', 'Ada']);
  assert.deepEqual(names(sortBy(PEOPLE, (person) => person.name.length, 'name')), ['Ada', 'Alan', 'Grace', 'Edsger']);
});

test('numbers sort as numbers, and missing values come last', () => {
  const self = (value) => value;
  assert.deepEqual(sortBy([10, 9, 1], self), [1, 9, 10]);
  assert.deepEqual(sortBy([2, null, 1, NaN], self), [1, 2, null, NaN]);
});

test('partition', () => {
  assert.deepEqual(partition([1, 2, 3, 4], (value) => value % 2), [[1, 3], [2, 4]]);
  assert.deepEqual(partition([], Boolean), [[], []]);
});

test('intersection and difference', () => {
  assert.deepEqual(intersection([1, 2, 2, 3], [2, 3, 4]), [2, 3]);
  assert.deepEqual(difference([1, 2, 2, 3, 1], [2]), [1, 3]);
});

test('arguments are left alone', () => {
  const items = Object.freeze([3, 1, 2]);
  assert.deepEqual(sortBy(items, (value) => value), [1, 2, 3]);
  assert.deepEqual(items, [3, 1, 2]);
});

test('a selector must be a function or a name', () => {
  for (const selector of [null, {}, true]) assert.throws(() => groupBy([1], selector), TypeError);
});
