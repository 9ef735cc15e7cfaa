'use strict';

/** @param {unknown} value */
function isObject(value) {
  return typeof value === 'object' && value !== null;
}

/** @param {object} value */
function kindOf(value) {
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (value instanceof RegExp) return 'regexp';
  if (value instanceof Map) return 'map';
  if (value instanceof Set) return 'set';
  if (ArrayBuffer.isView(value)) return value instanceof DataView ? 'view' : 'typed';
  const isOpaque = value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof ArrayBuffer;
  return isOpaque ? 'opaque' : 'object';
}

/** @param {object} value */
function ownEnumerableKeys(value) {
  return Reflect.ownKeys(value).filter((key) => Object.prototype.propertyIsEnumerable.call(value, key));
}

/** Defines a property, so that a key such as `__proto__` is data and never sets the prototype. */
function defineValue(target, key, value) {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * @param {any} source
 * @returns {any} An empty copy, or undefined for kinds that cannot be copied.
 */
function emptyCopy(source) {
  switch (kindOf(source)) {
    case 'array':
      return new Array(source.length);
    case 'date':
      return new Date(source.getTime());
    case 'regexp': {
      const copy = new RegExp(source.source, source.flags);
      copy.lastIndex = source.lastIndex;
      return copy;
    }
    case 'map':
      return new Map();
    case 'set':
      return new Set();
    case 'typed':
      return Buffer.isBuffer(source) ? Buffer.from(source) : new source.constructor(source);
    case 'object':
      return Object.create(Object.getPrototypeOf(source));
    default:
      return undefined;
  }
}

/**
 * @param {any} source
 * @param {Map<object, any>} copies The copy of each object that was met, which keeps cycles and shared references.
 */
function cloneValue(source, copies) {
  if (!isObject(source)) return source;
  if (copies.has(source)) return copies.get(source);
  const copy = emptyCopy(source);
  if (copy === undefined) {
    throw new TypeError(`cannot clone a ${source.constructor.name}`);
  }
  copies.set(source, copy);
  if (source instanceof Map) {
    source.forEach((value, key) => copy.set(cloneValue(key, copies), cloneValue(value, copies)));
  } else if (source instanceof Set) {
    source.forEach((value) => copy.add(cloneValue(value, copies)));
  } else if (!ArrayBuffer.isView(source)) {
    ownEnumerableKeys(source).forEach((key) => defineValue(copy, key, cloneValue(source[key], copies)));
  }
  return copy;
}

/**
 * Returns a copy that shares no object with `value`. Functions and primitive values are the same in both.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
function deepClone(value) {
  return cloneValue(value, new Map());
}

function equalSets(a, b, path) {
  const unmatched = [...b].filter((item) => !a.has(item));
  return [...a].every((item) => {
    if (b.has(item)) return true;
    const at = unmatched.findIndex((other) => isObject(item) && equalValues(item, other, path));
    if (at < 0) return false;
    unmatched.splice(at, 1);
    return true;
  });
}

function equalMaps(a, b, path) {
  return [...a].every(([key, value]) => b.has(key) && equalValues(value, b.get(key), path));
}

function equalProperties(a, b, path) {
  const keys = ownEnumerableKeys(a);
  const sameKeys = keys.length === ownEnumerableKeys(b).length && keys.every((key) => Object.hasOwn(b, key));
  return sameKeys && keys.every((key) => equalValues(a[key], b[key], path));
}

function equalObjects(a, b, path) {
  const kind = kindOf(a);
  switch (kind) {
    case 'date':
      return Object.is(a.getTime(), b.getTime());
    case 'regexp':
      return a.source === b.source && a.flags === b.flags;
    case 'map':
    case 'set':
      return a.size === b.size && (kind === 'map' ? equalMaps(a, b, path) : equalSets(a, b, path));
    case 'array':
    case 'typed':
      return a.length === b.length && equalProperties(a, b, path);
    case 'object':
      return equalProperties(a, b, path);
    default:
      return false;
  }
}

function equalValues(a, b, path) {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) {
    return typeof a === 'number' && a === b;
  }
  // A pair that is being compared further up is part of a cycle: the rest of the comparison decides.
  for (let outer = path; outer !== null; outer = outer.path) {
    if (outer.a === a && outer.b === b) return true;
  }
  return equalObjects(a, b, { a, b, path });
}

/**
 * Returns whether two values have equal content and the same prototypes. `NaN` equals itself, and 0 equals -0.
 *
 * @param {unknown} a
 * @param {unknown} b
 * @returns {boolean}
 */
function deepEqual(a, b) {
  return equalValues(a, b, null);
}

module.exports = { deepClone, deepEqual };
