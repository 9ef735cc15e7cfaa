'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { parse, stringify, withQuery } = require('./query_string.js');

const plain = (value) => ({ ...value });

test('pairs are read from a query or a URL', () => {
  const expected = { a: '1', b: 'two' };
  for (const text of ['a=1&b=two', '?a=1&b=two', 'https://example.com/path?a=1&b=two#a=3', '/path?a=1&&b=two&']) {
    assert.deepEqual(plain(parse(text)), expected, text);
  }
});

test('a URL without a query has no pairs', () => {
  for (const text of ['', '?', 'https://example.com/a=1', '#a=1', '/path?#x']) {
    assert.deepEqual(plain(parse(text)), {}, text);
  }
});

test('repeated keys give an array in order', () => {
  assert.deepEqual(plain(parse('tag=b&tag=a&x=1&tag=')), { tag: ['b', 'a', ''], x: '1' });
});

test('escapes and plus signs are decoded', () => {
  assert.deepEqual(plain(parse('q=a%26b%3Dc+d&gr%C3%B6%C3%9Fe=%E2%82%AC')), { q: 'a&b=c d', 'größe': '€' });
});

test('only the first equals sign separates, and a missing one gives an empty value', () => {
  assert.deepEqual(plain(parse('a=b=c&flag&=empty')), { a: 'b=c', flag: '', '': 'empty' });
});

test('keys never reach a prototype', () => {
  const parsed = parse('__proto__=x&constructor=y&toString=z');
  assert.equal(Object.getPrototypeOf(parsed), null);
  assert.deepEqual(Object.keys(parsed), ['__proto__', 'constructor', 'toString']);
  assert.equal({}.x, undefined);
});

test('malformed escapes are refused', () => {
  for (const text of ['a=%', 'a=%zz', '%C3=1']) {
    assert.throws(() => parse(text), SyntaxError);
  }
});

test('floods of pairs are refused', () => {
  assert.throws(() => parse('a&'.repeat(1001)), RangeError);
  assert.equal(parse('a&b', { maxPairs: 2 }).a, '');
});

test('objects become queries', () => {
  assert.equal(stringify({ q: 'a&b c', n: 1.5, yes: true, big: 10n, empty: '' }), 'q=a%26b%20c&n=1.5&yes=true&big=10&empty=');
  assert.equal(stringify({ tag: ['b', 'a'], none: [], flag: null, skipped: undefined }), 'tag=b&tag=a&flag');
  assert.equal(stringify({}), '');
});

test('sorted keys make equal parameters equal texts', () => {
  assert.equal(stringify({ b: 1, a: [2, 1] }, { sort: true }), 'a=2&a=1&b=1');
});

test('parsing reverses building', () => {
  const parameters = { 'a b': 'c+d', 'x=y': ['1&2', '%', '😀'], z: '' };
  assert.deepEqual(plain(parse(stringify(parameters))), parameters);
});

test('a query is changed in place, the fragment kept', () => {
  assert.equal(withQuery('https://x.org/p?page=1&q=a#top', { page: 2, q: undefined, n: 'ä' }), 'https://x.org/p?page=2&n=%C3%A4#top');
  assert.equal(withQuery('/p#a?b=1', { c: 1 }), '/p?c=1#a?b=1');
  assert.equal(withQuery('/p?a=1', { a: undefined }), '/p');
});

test('misuse is refused', () => {
  for (const text of [null, undefined, 5, {}]) assert.throws(() => parse(text), TypeError);
  for (const value of [{}, NaN, Infinity, () => 1, [[1, 2]], Symbol('s')]) {
    assert.throws(() => stringify({ value }), /"value"/);
  }
  for (const parameters of [null, 'a=1', [1]]) assert.throws(() => stringify(parameters), TypeError);
});
