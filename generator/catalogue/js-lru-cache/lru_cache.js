'use strict';

/** Maximum number of entries where the caller does not say otherwise. */
const DEFAULT_CAPACITY = 100;

/**
 * Holds at most `capacity` entries. The least recently used one is dropped first.
 *
 * @template K, V
 */
class LruCache {
  #capacity;
  #ttlMs;
  #now;
  /**
   * A `Map` keeps its keys in the order of insertion: the first one is the least recently used.
   *
   * @type {Map<K, { value: V, expiresAt: number }>}
   */
  #entries = new Map();

  /**
   * @param {number} [capacity]
   * @param {{ ttlMs?: number, now?: () => number }} [options] `ttlMs` is the lifetime of an entry; entries never expire by default.
   */
  constructor(capacity = DEFAULT_CAPACITY, { ttlMs = Infinity, now = () => performance.now() } = {}) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError('capacity must be an integer of at least 1');
    }
    if (typeof ttlMs !== 'number' || !(ttlMs > 0)) {
      throw new RangeError('ttlMs must be a positive number of milliseconds');
    }
    this.#capacity = capacity;
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  get capacity() {
    return this.#capacity;
  }

  /** Number of entries, expired ones that were not dropped yet included. */
  get size() {
    return this.#entries.size;
  }

  /**
   * Returns the value of `key` and marks it as used.
   *
   * @param {K} key
   * @returns {V | undefined}
   */
  get(key) {
    const entry = this.#live(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /**
   * Returns the value of `key` without marking it as used.
   *
   * @param {K} key
   * @returns {V | undefined}
   */
  peek(key) {
    return this.#live(key)?.value;
  }

  /**
   * @param {K} key
   * @returns {boolean}
   */
  has(key) {
    return this.#live(key) !== undefined;
  }

  /**
   * Stores a value under `key`; the least recently used entry is dropped where the cache is full.
   *
   * @param {K} key
   * @param {V} value
   * @returns {this}
   */
  set(key, value) {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) {
      this.#entries.delete(this.#entries.keys().next().value);
    }
    this.#entries.set(key, { value, expiresAt: this.#now() + this.#ttlMs });
    return this;
  }

  /**
   * @param {K} key
   * @returns {boolean} Whether a live entry was removed.
   */
  delete(key) {
    const wasLive = this.has(key);
    this.#entries.delete(key);
    return wasLive;
  }

  clear() {
    this.#entries.clear();
  }

  /**
   * Yields the live entries, the least recently used one first.
   *
   * @returns {IterableIterator<[K, V]>}
   */
  *[Symbol.iterator]() {
    const now = this.#now();
    for (const [key, { value, expiresAt }] of this.#entries) {
      if (now < expiresAt) yield [key, value];
    }
  }

  #live(key) {
    const entry = this.#entries.get(key);
    if (entry !== undefined && this.#now() >= entry.expiresAt) {
      this.#entries.delete(key);
      return undefined;
    }
    return entry;
  }
}

module.exports = { LruCache, DEFAULT_CAPACITY };
