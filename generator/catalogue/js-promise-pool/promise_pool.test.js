'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { PromisePool, mapWithConcurrency, allSettledWithConcurrency, DEFAULT_CONCURRENCY } = require('./promise_pool.js');

/** A task that ends when the test says so. */
function gate() {
  const task = () => {
    task.started = true;
    return new Promise((resolve, reject) => {
      task.resolve = resolve;
      task.reject = reject;
    });
  };
  task.started = false;
  return task;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('no more tasks run at once than allowed, in the order in which they were added', async () => {
  const pool = new PromisePool(2);
  const gates = [gate(), gate(), gate()];
  const results = gates.map((task) => pool.add(task));
  assert.deepEqual(gates.map((task) => task.started), [true, true, false]);
  assert.deepEqual([pool.running, pool.waiting], [2, 1]);
  gates[1].resolve('b');
  await turn();
  assert.equal(gates[2].started, true);
  gates[0].resolve('a');
  gates[2].resolve('c');
  assert.deepEqual(await Promise.all(results), ['a', 'b', 'c']);
});

test('a failing task rejects its own promise and frees its place', async () => {
  const pool = new PromisePool(1);
  const failing = pool.add(async () => {
    throw new Error('no');
  });
  const next = pool.add(() => 'value');
  await assert.rejects(failing, /no/);
  assert.equal(await next, 'value');
});

test('a task that throws synchronously rejects', async () => {
  const pool = new PromisePool(1);
  await assert.rejects(pool.add(() => {
    throw new RangeError('sync');
  }), RangeError);
  assert.equal(pool.running, 0);
});

test('onIdle resolves when everything has ended', async () => {
  const pool = new PromisePool(1);
  await pool.onIdle();
  const task = gate();
  pool.add(task);
  let idle = false;
  const waited = pool.onIdle().then(() => {
    idle = true;
  });
  await turn();
  assert.equal(idle, false);
  task.resolve();
  await waited;
  assert.equal(idle, true);
});

test('map keeps the order of the items and the limit', async () => {
  let running = 0;
  let most = 0;
  const results = await mapWithConcurrency([5, 1, 4, 2, 3], async (item, index) => {
    running += 1;
    most = Math.max(most, running);
    for (let turns = 0; turns < item; turns += 1) await turn();
    running -= 1;
    return `${index}:${item}`;
  }, { concurrency: 2 });
  assert.deepEqual(results, ['0:5', '1:1', '2:4', '3:2', '4:3']);
  assert.equal(most, 2);
});

test('map takes any iterable, an empty one too', async () => {
  assert.deepEqual(await mapWithConcurrency(new Set([1, 2]), (item) => item * 2), [2, 4]);
  assert.deepEqual(await mapWithConcurrency([], () => assert.fail('not called')), []);
});

test('map starts nothing after a failure', async () => {
  const started = [];
  const mapped = mapWithConcurrency([1, 2, 3, 4], async (item) => {
    started.push(item);
    await turn();
    if (item === 1) throw new Error('first');
  }, { concurrency: 1 });
  await assert.rejects(mapped, /first/);
  await turn();
  assert.deepEqual(started, [1]);
});

test('all settled reports every outcome', async () => {
  const outcomes = await allSettledWithConcurrency([() => 1, () => Promise.reject(new Error('x')), async () => 3], { concurrency: 1 });
  assert.deepEqual(outcomes.map((outcome) => outcome.status), ['fulfilled', 'rejected', 'fulfilled']);
});

test('the default limit is the constant', async () => {
  const pool = new PromisePool();
  const gates = Array.from({ length: DEFAULT_CONCURRENCY + 1 }, gate);
  gates.forEach((task) => pool.add(task));
  assert.deepEqual([pool.running, pool.waiting], [DEFAULT_CONCURRENCY, 1]);
  gates.forEach((task) => task.started && task.resolve());
  await turn();
  gates.at(-1).resolve();
  await pool.onIdle();
});

test('misuse is refused', async () => {
  for (const concurrency of [0, -1, 1.5, NaN, '2', null]) {
    assert.throws(() => new PromisePool(concurrency), RangeError);
    await assert.rejects(mapWithConcurrency([], () => {}, { concurrency }), RangeError);
  }
  await assert.rejects(new PromisePool().add(Promise.resolve()), TypeError);
});
