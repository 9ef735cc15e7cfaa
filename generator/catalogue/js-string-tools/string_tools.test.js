'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { reverse, isPalindrome, areAnagrams, capitalize, titleCase, slugify, snakeCase, kebabCase, camelCase, truncate, countVowels } = require('./string_tools.js');

test('reversing keeps characters whole', () => {
  assert.equal(reverse('abc'), 'cba');
  assert.equal(reverse(''), '');
  assert.equal(reverse('a👨‍👩‍👧é'), 'é👨‍👩‍👧a');
  assert.equal(reverse('e\u0301x'), 'xe\u0301');
});

test('palindromes', () => {
  for (const text of ['', '!', 'a', 'Anna', 'A man, a plan, a canal: Panama', '12 21', 'Éé', 'e\u0301\u00e9']) assert.ok(isPalindrome(text), text);
  for (const text of ['ab', 'éa', '123', 'almost tsomla x']) assert.ok(!isPalindrome(text), text);
});

test('anagrams', () => {
  assert.ok(areAnagrams('Dormitory', 'dirty room!'));
  assert.ok(areAnagrams('', ' '));
  assert.ok(!areAnagrams('aab', 'abb'));
  assert.ok(!areAnagrams('ab', 'abc'));
});

test('capitalization', () => {
  assert.equal(capitalize('hELLO'), 'HELLO');
  assert.equal(capitalize('élan'), 'Élan');
  assert.equal(capitalize(''), '');
  assert.equal(titleCase("don't STOP  me-now"), "Don't Stop  Me-now");
});

test('slugs', () => {
  const cases = [
    ['Hello, World!', 'hello-world'], ['  Crème Brûlée  ', 'creme-brulee'], ["Ada's 1st & 2nd", 'adas-1st-2nd'],
    ['Straße, Łódź, Ærø', 'strasse-lodz-aero'], ['--', ''], ['日本', ''], ['ﬁne ½', 'fine-1-2'],
  ];
  for (const [text, expected] of cases) assert.equal(slugify(text), expected, text);
});

test('slugs of bounded length end with a whole word', () => {
  assert.equal(slugify('one two three', { maxLength: 9 }), 'one-two');
  assert.equal(slugify('one two three', { maxLength: 7 }), 'one-two');
  assert.equal(slugify('internationalization', { maxLength: 5 }), 'inter');
});

test('case styles', () => {
  for (const text of ['fooBarBaz', 'FooBarBaz', 'foo_bar_baz', 'foo-bar-baz', 'Foo bar baz', 'FOO_BAR_BAZ', ' foo  bar.baz ']) {
    assert.deepEqual([snakeCase(text), kebabCase(text), camelCase(text)], ['foo_bar_baz', 'foo-bar-baz', 'fooBarBaz'], text);
  }
  assert.equal(snakeCase('parseHTTPResponse2'), 'parse_http_response_2');
  assert.equal(camelCase('größe ändern'), 'größeÄndern');
  assert.equal(kebabCase('!?'), '');
});

test('truncation', () => {
  assert.equal(truncate('short', 5), 'short');
  assert.equal(truncate('The quick brown fox', 12), 'The quick…');
  assert.equal(truncate('The quick brown fox', 10), 'The quick…');
  assert.equal(truncate('internationalization', 6), 'inter…');
  assert.equal(truncate('👍🏽👍🏽👍🏽', 2), '👍🏽…');
  assert.equal(truncate('long text', 6, '...'), 'lon...');
  for (const length of [0, -1, 1.5, NaN, '5']) assert.throws(() => truncate('text', length), RangeError);
});

test('vowels', () => {
  assert.deepEqual(['Education', 'rhythm', '', 'ÀÉî'].map(countVowels), [5, 0, 0, 3]);
});

test('only texts', () => {
  for (const fn of [reverse, isPalindrome, capitalize, titleCase, slugify, snakeCase, camelCase, countVowels]) {
    for (const value of [5, null, undefined, ['a']]) assert.throws(() => fn(value), TypeError);
  }
  assert.throws(() => areAnagrams('a', 1), TypeError);
});
