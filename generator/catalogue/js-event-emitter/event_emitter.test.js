'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { Emitter, ANY_EVENT } = require('./event_emitter.js');

test('listeners are called in order, with all arguments', () => {
  const emitter = new Emitter();
  const seen = [];
  emitter.on('save', (...args) => seen.push(['first', ...args]));
  emitter.on('save', (...args) => seen.push(['second', ...args]));
  assert.equal(emitter.emit('save', 1, 'x'), 2);
  assert.deepEqual(seen, [['first', 1, 'x'], ['second', 1, 'x']]);
});

test('an event without listeners reaches none', () => {
  const emitter = new Emitter();
  emitter.on('other', () => assert.fail('not called'));
  assert.equal(emitter.emit('save'), 0);
  assert.equal(emitter.emit('constructor'), 0);
});

test('once is called for one event only, even if the event is emitted again meanwhile', () => {
  const emitter = new Emitter();
  let calls = 0;
  emitter.once('tick', () => {
    calls += 1;
    emitter.emit('tick');
  });
  emitter.emit('tick');
  emitter.emit('tick');
  assert.equal(calls, 1);
  assert.equal(emitter.listenerCount('tick'), 0);
});

test('the returned function ends that subscription alone', () => {
  const emitter = new Emitter();
  const seen = [];
  const listener = () => seen.push('called');
  const unsubscribe = emitter.on('a', listener);
  emitter.on('a', listener);
  unsubscribe();
  unsubscribe();
  emitter.emit('a');
  assert.deepEqual(seen, ['called']);
});

test('off says whether it found a subscription', () => {
  const emitter = new Emitter();
  const listener = () => {};
  emitter.on('a', listener);
  assert.equal(emitter.off('b', listener), false);
  assert.equal(emitter.off('a', () => {}), false);
  assert.equal(emitter.off('a', listener), true);
  assert.equal(emitter.off('a', listener), false);
});

test('changes by a listener take effect from the next event', () => {
  const emitter = new Emitter();
  const seen = [];
  const second = () => seen.push('second');
  emitter.on('a', () => {
    seen.push('first');
    emitter.off('a', second);
    emitter.once('a', () => seen.push('added'));
  });
  emitter.on('a', second);
  emitter.emit('a');
  assert.deepEqual(seen, ['first', 'second']);
  emitter.emit('a');
  assert.deepEqual(seen, ['first', 'second', 'first', 'added']);
});

test('a failing listener does not silence the others', () => {
  const emitter = new Emitter();
  const seen = [];
  emitter.on('a', () => {
    throw new Error('broken');
  });
  emitter.on('a', () => seen.push('reached'));
  assert.throws(() => emitter.emit('a'), (error) => error instanceof AggregateError && error.errors[0].message === 'broken');
  assert.deepEqual(seen, ['reached']);
});

test('a listener of every event receives the name first', () => {
  const emitter = new Emitter();
  const seen = [];
  emitter.on(ANY_EVENT, (...args) => seen.push(args));
  const symbol = Symbol('s');
  emitter.emit('a', 1);
  emitter.emit(symbol);
  assert.deepEqual(seen, [['a', 1], [symbol]]);
  assert.throws(() => emitter.emit(ANY_EVENT), RangeError);
});

test('removeAll removes the listeners of one event, or all', () => {
  const emitter = new Emitter();
  ['a', 'b', 'c'].forEach((event) => emitter.on(event, () => {}));
  emitter.removeAll('a');
  assert.deepEqual(['a', 'b', 'c'].map((event) => emitter.listenerCount(event)), [0, 1, 1]);
  emitter.removeAll();
  assert.equal(emitter.emit('b'), 0);
});

test('misuse is refused', () => {
  const emitter = new Emitter();
  for (const event of ['', 1, null, undefined, {}]) {
    assert.throws(() => emitter.on(event, () => {}), TypeError);
  }
  assert.throws(() => emitter.once('a', 'text'), /listener/);
});
