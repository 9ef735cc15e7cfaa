'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { memoize } = require('./memoize.js');

function counted(fn) {
  const wrapped = (...args) => {
    wrapped.calls.push(args);
    return fn(...args);
  };
  wrapped.calls = [];
  return wrapped;
}

test('a result is computed once for each list of arguments', () => {
  const add = counted((a, b) => a + b);
  const memoized = memoize(add);
  assert.deepEqual([memoized(1, 2), memoized(1, 2), memoized(2, 1)], [3, 3, 3]);
  assert.deepEqual(add.calls, [[1, 2], [2, 1]]);
});

test('the number of arguments matters, and types are not mixed up', () => {
  const list = counted((...args) => args.length);
  const memoized = memoize(list);
  assert.deepEqual([memoized(), memoized(undefined), memoized(1), memoized('1'), memoized('1,2'), memoized('1', '2')], [0, 1, 1, 1, 1, 2]);
  assert.equal(list.calls.length, 6);
});

test('undefined and false results are stored', () => {
  const nothing = counted(() => undefined);
  const memoized = memoize(nothing);
  memoized('x');
  memoized('x');
  assert.equal(nothing.calls.length, 1);
});

test('objects are compared by identity, and NaN equals itself', () => {
  const size = counted((value) => typeof value);
  const memoized = memoize(size);
  const object = {};
  [object, object, {}, NaN, NaN].forEach((value) => memoized(value));
  assert.equal(size.calls.length, 3);
});

test('a key function decides which calls are the same', () => {
  const name = counted((user) => user.name);
  const memoized = memoize(name, { key: (user) => user.id });
  assert.equal(memoized({ id: 1, name: 'Ada' }), 'Ada');
  assert.equal(memoized({ id: 1, name: 'Grace' }), 'Ada');
});

test('recursive functions profit', () => {
  const fibonacci = memoize((n) => (n < 2 ? BigInt(n) : fibonacci(n - 1) + fibonacci(n - 2)));
  assert.equal(fibonacci(90), 2880067194370816120n);
});

test('errors are not stored', () => {
  let calls = 0;
  const memoized = memoize(() => {
    calls += 1;
    if (calls === 1) throw new Error('first');
    return calls;
  });
  assert.throws(() => memoized(), /first/);
  assert.deepEqual([memoized(), memoized()], [2, 2]);
});

test('callers share a promise, and a rejected one is forgotten', async () => {
  let calls = 0;
  const memoized = memoize(async (fail) => {
    calls += 1;
    if (fail && calls === 1) throw new Error('rejected');
    return calls;
  });
  const first = memoized(true);
  assert.equal(memoized(true), first);
  await assert.rejects(first, /rejected/);
  assert.deepEqual([await memoized(true), await memoized(true), memoized.size()], [2, 2, 1]);
});

test('the oldest result is dropped when the limit is reached', () => {
  const square = counted((value) => value * value);
  const memoized = memoize(square, { maxSize: 2 });
  [1, 2, 3, 3, 2, 1].forEach((value) => memoized(value));
  assert.deepEqual(square.calls, [[1], [2], [3], [1]]);
  assert.equal(memoized.size(), 2);
});

test('forget and clear drop results', () => {
  const echo = counted((value) => value);
  const memoized = memoize(echo);
  memoized('a');
  memoized('b');
  assert.equal(memoized.forget('a'), true);
  assert.equal(memoized.forget('a'), false);
  memoized('a');
  memoized.clear();
  memoized('b');
  assert.deepEqual(echo.calls, [['a'], ['b'], ['a'], ['b']]);
});

test('the receiver is passed on', () => {
  const account = { rate: 3, times: memoize(function times(value) {
    return this.rate * value;
  }) };
  assert.equal(account.times(2), 6);
});

test('misuse is refused', () => {
  assert.throws(() => memoize('text'), TypeError);
  for (const maxSize of [0, -1, 1.5, NaN, '2']) {
    assert.throws(() => memoize(() => 1, { maxSize }), RangeError);
  }
});
