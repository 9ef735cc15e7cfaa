'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { deepClone, deepEqual } = require('./deep_clone_equal.js');

test('nested objects and arrays are copied', () => {
  const source = { a: [1, { b: 'x' }], c: null, d: undefined };
  const copy = deepClone(source);
  assert.deepEqual(copy, source);
  copy.a[1].b = 'changed';
  copy.a.push(3);
  assert.deepEqual(source, { a: [1, { b: 'x' }], c: null, d: undefined });
});

test('primitive values and functions are returned as they are', () => {
  const fn = () => 1;
  for (const value of [1, 'x', true, null, undefined, 10n, Symbol.iterator, fn]) {
    assert.equal(deepClone(value), value);
  }
});

test('dates, expressions, maps, sets, typed arrays and buffers are copied', () => {
  const source = {
    date: new Date(0),
    pattern: /a+/gi,
    map: new Map([['k', { v: 1 }]]),
    set: new Set([{ a: 1 }]),
    bytes: new Uint8Array([1, 2]),
    buffer: Buffer.from('abc'),
  };
  const copy = deepClone(source);
  assert.deepEqual(copy, source);
  for (const key of Object.keys(source)) {
    assert.notEqual(copy[key], source[key], key);
  }
  assert.notEqual(copy.map.get('k'), source.map.get('k'));
  copy.buffer[0] = 0;
  assert.equal(source.buffer.toString(), 'abc');
});

test('cycles and shared references are kept', () => {
  const shared = { x: 1 };
  const source = { first: shared, second: shared };
  source.self = source;
  const copy = deepClone(source);
  assert.equal(copy.self, copy);
  assert.equal(copy.first, copy.second);
  assert.notEqual(copy.first, shared);
});

test('instances keep their class, and symbols are copied', () => {
  class Point {
    constructor(x) {
      this.x = x;
    }
  }
  const tag = Symbol('tag');
  const copy = deepClone(Object.assign(new Point(2), { [tag]: [1] }));
  assert.ok(copy instanceof Point);
  assert.deepEqual(copy[tag], [1]);
});

test('a __proto__ key stays data', () => {
  const copy = deepClone(JSON.parse('{"__proto__": {"admin": true}}'));
  assert.equal(copy.admin, undefined);
  assert.ok(Object.hasOwn(copy, '__proto__'));
});

test('sparse arrays keep their holes', () => {
  const copy = deepClone([1, , 3]);
  assert.equal(copy.length, 3);
  assert.equal(1 in copy, false);
});

test('values that cannot be copied are refused', () => {
  assert.throws(() => deepClone({ job: Promise.resolve() }), { name: 'TypeError', message: /Promise/ });
  assert.throws(() => deepClone(new WeakMap()), TypeError);
});

test('equal content is equal', () => {
  const build = () => ({ a: [1, { b: new Date(5) }], m: new Map([['k', [1]]]), s: new Set(['x', { y: 1 }]), r: /x/g, n: NaN });
  assert.equal(deepEqual(build(), build()), true);
  assert.equal(deepEqual(0, -0), true);
  assert.equal(deepEqual(new Uint8Array([1]), new Uint8Array([1])), true);
});

test('different content is not equal', () => {
  const pairs = [
    [{ a: 1 }, { a: 2 }],
    [{ a: undefined }, { b: undefined }],
    [{ a: 1 }, { a: 1, b: undefined }],
    [[1, 2], [2, 1]],
    [[], {}],
    [null, {}],
    [1, '1'],
    [new Date(1), new Date(2)],
    [new Set([{ a: 1 }, { a: 1 }]), new Set([{ a: 1 }, { a: 2 }])],
    [new Map([['k', 1]]), new Map([['k', 2]])],
    [/a/g, /a/i],
    [Object.create(null), {}],
  ];
  for (const [a, b] of pairs) {
    assert.equal(deepEqual(a, b), false);
    assert.equal(deepEqual(b, a), false);
  }
});

test('cyclic values are compared without end', () => {
  const build = (value) => {
    const node = { value };
    node.self = node;
    return node;
  };
  assert.equal(deepEqual(build(1), build(1)), true);
  assert.equal(deepEqual(build(1), build(2)), false);
  const longer = { value: 1, self: { value: 1 } };
  longer.self.self = longer;
  assert.equal(deepEqual(build(1), longer), true);
});
