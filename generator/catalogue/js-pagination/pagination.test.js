'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { paginate, pageNumbers, paginateByCursor, DEFAULT_PAGE_SIZE } = require('./pagination.js');

const numbers = (count) => Array.from({ length: count }, (_, index) => index + 1);

test('a page in the middle', () => {
  assert.deepEqual(paginate(numbers(7), { page: 2, pageSize: 3 }), {
    items: [4, 5, 6], page: 2, pageSize: 3, totalItems: 7, totalPages: 3, previousPage: 1, nextPage: 3,
  });
});

test('the last page may be shorter', () => {
  const page = paginate(numbers(7), { page: 3, pageSize: 3 });
  assert.deepEqual([page.items, page.nextPage], [[7], null]);
});

test('the edges', () => {
  const even = paginate(numbers(6), { page: 2, pageSize: 3 });
  assert.deepEqual([even.items, even.totalPages, even.nextPage], [[4, 5, 6], 2, null]);
  const empty = paginate([]);
  assert.deepEqual([empty.items, empty.totalPages, empty.previousPage, empty.nextPage], [[], 1, null, null]);
});

test('a page after the last one is empty and leads back', () => {
  const page = paginate(numbers(5), { page: 9, pageSize: 2 });
  assert.deepEqual([page.items, page.previousPage, page.nextPage], [[], 3, null]);
});

test('the default size is the constant', () => {
  assert.equal(paginate(numbers(DEFAULT_PAGE_SIZE + 1)).items.length, DEFAULT_PAGE_SIZE);
});

test('the pages together are the list', () => {
  const list = numbers(23);
  const pages = numbers(5).flatMap((page) => paginate(list, { page, pageSize: 5 }).items);
  assert.deepEqual(pages, list);
});

test('numbers of a pager', () => {
  const cases = [
    [[1, 1], [1]],
    [[1, 5], [1, 2, null, 5]],
    [[3, 5], [1, 2, 3, 4, 5]],
    [[5, 10], [1, null, 4, 5, 6, null, 10]],
    [[4, 10], [1, 2, 3, 4, 5, null, 10]],
    [[10, 10], [1, null, 9, 10]],
    [[99, 3], [1, 2, 3]],
  ];
  for (const [[page, total], expected] of cases) assert.deepEqual(pageNumbers(page, total), expected, `${page} of ${total}`);
  assert.deepEqual(pageNumbers(5, 9, { around: 0 }), [1, null, 5, null, 9]);
});

test('cursors go through the list', () => {
  const list = numbers(7).map((id) => ({ id }));
  const seen = [];
  let after = null;
  do {
    const page = paginateByCursor(list, { key: (item) => item.id, after, pageSize: 3 });
    seen.push(page.items.map((item) => item.id));
    after = page.nextCursor;
  } while (after !== null);
  assert.deepEqual(seen, [[1, 2, 3], [4, 5, 6], [7]]);
});

test('cursors neither skip nor repeat when items come and go', () => {
  const key = (item) => item;
  const first = paginateByCursor(['b', 'd', 'f'], { key, pageSize: 2 });
  assert.deepEqual(first.items, ['b', 'd']);
  assert.deepEqual(paginateByCursor(['a', 'b', 'f', 'g'], { key, after: first.nextCursor, pageSize: 2 }), { items: ['f', 'g'], nextCursor: null });
  assert.deepEqual(paginateByCursor(['a'], { key, after: first.nextCursor }).items, []);
});

test('misuse is refused', () => {
  for (const options of [{ page: 0 }, { page: 1.5 }, { page: '1' }, { pageSize: 0 }, { pageSize: NaN }]) {
    assert.throws(() => paginate([], options), RangeError, JSON.stringify(options));
  }
  assert.throws(() => paginate('text'), TypeError);
  assert.throws(() => pageNumbers(1, 0), /totalPages/);
  assert.throws(() => pageNumbers(1, 1, { around: -1 }), /around/);
  assert.throws(() => paginateByCursor([], { key: String, after: 'not a cursor' }), /cursor/);
});
