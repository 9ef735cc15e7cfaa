'use strict';

/**
 * @typedef {string | number | boolean | bigint | null | undefined} Scalar
 */

/** Maximum number of pairs that `parse` reads, against floods of parameters. */
const DEFAULT_MAX_PAIRS = 1000;

/**
 * @param {string} text
 * @returns {string}
 */
function decode(text) {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    throw new SyntaxError(`"${text}" has a percent sign that starts no valid UTF-8 sequence`);
  }
}

/**
 * Returns what is between the question mark and the fragment of a URL; a text without a question mark is a query itself.
 *
 * @param {string} text
 * @returns {string}
 */
function queryOf(text) {
  const withoutFragment = text.split('#', 1)[0];
  const mark = withoutFragment.indexOf('?');
  if (mark >= 0) return withoutFragment.slice(mark + 1);
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(withoutFragment) ? '' : withoutFragment;
}

/**
 * Parses the query of a URL, or a query string with or without its question mark.
 *
 * A key that occurs once has a string, a repeated one an array of strings. The object has no prototype, so that no key
 * of a caller (`__proto__`, `constructor`) means anything else.
 *
 * @param {string} text
 * @param {{ maxPairs?: number }} [options]
 * @returns {Record<string, string | string[]>}
 */
function parse(text, { maxPairs = DEFAULT_MAX_PAIRS } = {}) {
  if (typeof text !== 'string') {
    throw new TypeError('the query must be a string');
  }
  const pairs = queryOf(text).split('&').filter((pair) => pair !== '');
  if (pairs.length > maxPairs) {
    throw new RangeError(`the query has ${pairs.length} pairs; at most ${maxPairs} are allowed`);
  }
  const result = Object.create(null);
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const key = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    // Arrays from `parse` alone: values are strings otherwise.
    if (!(key in result)) result[key] = value;
    else if (Array.isArray(result[key])) result[key].push(value);
    else result[key] = [result[key], value];
  }
  return result;
}

/**
 * @param {string} key
 * @param {unknown} value
 * @returns {string}
 */
function pairOf(key, value) {
  if (value === null) return encodeURIComponent(key);
  const isScalar = ['string', 'boolean', 'bigint'].includes(typeof value) || Number.isFinite(value);
  if (!isScalar) {
    throw new TypeError(`the value of "${key}" must be a string, a finite number, a boolean, null or an array of these`);
  }
  return `${encodeURIComponent(key)}=${encodeURIComponent(value)}`;
}

/**
 * Builds a query string without a question mark. Arrays repeat their key, `null` gives a key without a value, and
 * `undefined` is left out.
 *
 * @param {Record<string, Scalar | Scalar[]>} parameters
 * @param {{ sort?: boolean }} [options] With `sort`, keys are in the order of their code units.
 * @returns {string}
 */
function stringify(parameters, { sort = false } = {}) {
  if (typeof parameters !== 'object' || parameters === null || Array.isArray(parameters)) {
    throw new TypeError('the parameters must be an object');
  }
  const keys = Object.keys(parameters);
  if (sort) keys.sort();
  return keys
    .flatMap((key) => [parameters[key]].flat().filter((value) => value !== undefined).map((value) => pairOf(key, value)))
    .join('&');
}

/**
 * Returns `url` with its query changed: given keys replace those of the same name, `undefined` removes one.
 *
 * @param {string} url
 * @param {Record<string, Scalar | Scalar[]>} changes
 * @returns {string}
 */
function withQuery(url, changes) {
  const hash = url.indexOf('#');
  const fragment = hash < 0 ? '' : url.slice(hash);
  const base = (hash < 0 ? url : url.slice(0, hash)).split('?', 1)[0];
  const mark = url.indexOf('?');
  const current = mark >= 0 && (hash < 0 || mark < hash) ? parse(url) : {};
  const query = stringify(Object.assign(Object.create(null), current, changes));
  return base + (query === '' ? '' : `?${query}`) + fragment;
}

module.exports = { parse, stringify, withQuery };
