'use strict';

/** Number of items on a page where the caller does not say otherwise. */
const DEFAULT_PAGE_SIZE = 20;

/**
 * @template T
 * @typedef {object} Page
 * @property {T[]} items
 * @property {number} page From 1.
 * @property {number} pageSize
 * @property {number} totalItems
 * @property {number} totalPages At least 1: an empty list has one empty page.
 * @property {number | null} previousPage
 * @property {number | null} nextPage
 */

/**
 * @param {unknown} value
 * @param {string} name
 */
function checkPositive(value, name) {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`${name} must be an integer of at least 1`);
  }
}

/**
 * Returns one page of a list.
 *
 * @template T
 * @param {readonly T[]} list
 * @param {{ page?: number, pageSize?: number }} [options]
 * @returns {Page<T>} Without items where the page is after the last one.
 */
function paginate(list, { page = 1, pageSize = DEFAULT_PAGE_SIZE } = {}) {
  if (!Array.isArray(list)) {
    throw new TypeError('list must be an array');
  }
  checkPositive(page, 'page');
  checkPositive(pageSize, 'pageSize');
  const totalPages = Math.max(1, Math.ceil(list.length / pageSize));
  const start = (page - 1) * pageSize;
  return {
    items: list.slice(start, start + pageSize),
    page,
    pageSize,
    totalItems: list.length,
    totalPages,
    previousPage: page > 1 ? Math.min(page - 1, totalPages) : null,
    nextPage: page < totalPages ? page + 1 : null,
  };
}

/**
 * Returns the page numbers of a pager, with null for each gap: `[1, null, 4, 5, 6, null, 10]`.
 *
 * @param {number} page
 * @param {number} totalPages
 * @param {{ around?: number }} [options] Number of pages on each side of the current one.
 * @returns {Array<number | null>}
 */
function pageNumbers(page, totalPages, { around = 1 } = {}) {
  checkPositive(page, 'page');
  checkPositive(totalPages, 'totalPages');
  if (!Number.isSafeInteger(around) || around < 0) {
    throw new RangeError('around must be an integer of at least 0');
  }
  const current = Math.min(page, totalPages);
  const shown = new Set([1, totalPages]);
  for (let number = Math.max(1, current - around); number <= Math.min(totalPages, current + around); number += 1) {
    shown.add(number);
  }
  const numbers = [];
  for (const number of [...shown].sort((a, b) => a - b)) {
    const before = numbers.at(-1) ?? 0;
    // A gap of one page is as wide as its mark: show the page instead.
    if (number - before === 2) numbers.push(number - 1);
    if (number - before > 2) numbers.push(null);
    numbers.push(number);
  }
  return numbers;
}

/** @param {unknown} position */
const encodeCursor = (position) => Buffer.from(JSON.stringify(position)).toString('base64url');

/** @param {string} cursor */
function decodeCursor(cursor) {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new RangeError('the cursor was not made by this list');
  }
}

/**
 * Returns the items after a cursor. Other than page numbers, cursors skip and repeat nothing when items come or go.
 *
 * @template T
 * @param {readonly T[]} list In ascending order of the key.
 * @param {object} options
 * @param {(item: T) => string | number} options.key Unique for each item, such as an id.
 * @param {string | null} [options.after] The `nextCursor` of the page before.
 * @param {number} [options.pageSize]
 * @returns {{ items: T[], nextCursor: string | null }}
 */
function paginateByCursor(list, { key, after = null, pageSize = DEFAULT_PAGE_SIZE }) {
  checkPositive(pageSize, 'pageSize');
  let start = 0;
  if (after !== null) {
    const position = decodeCursor(after);
    const found = list.findIndex((item) => key(item) > position);
    start = found < 0 ? list.length : found;
  }
  const items = list.slice(start, start + pageSize);
  const hasMore = start + pageSize < list.length;
  return { items, nextCursor: hasMore ? encodeCursor(key(items.at(-1))) : null };
}

module.exports = { paginate, pageNumbers, paginateByCursor, DEFAULT_PAGE_SIZE };
