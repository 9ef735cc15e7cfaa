'use strict';

/**
 * A rule returns a message for an invalid value, and undefined for a valid one.
 *
 * @typedef {(value: any, values: Record<string, any>) => string | undefined} Rule
 */

/**
 * @typedef {object} ValidationResult
 * @property {boolean} valid
 * @property {Record<string, string>} errors The first message of each invalid field.
 * @property {Record<string, any>} values The values of the fields, with the space around texts removed.
 */

/** @param {unknown} value */
const isEmpty = (value) => value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);

/**
 * Makes a rule from a condition. Empty values pass: only `required` and `accepted` refuse them.
 *
 * @param {(value: any, values: Record<string, any>) => boolean} isValid
 * @param {string} message
 * @returns {Rule}
 */
function rule(isValid, message) {
  return (value, values) => (isEmpty(value) || isValid(value, values) ? undefined : message);
}

/** @param {string} [message] @returns {Rule} */
const required = (message = 'is required') => (value) => (isEmpty(value) ? message : undefined);

/** @param {string} [message] @returns {Rule} For a check box that must be ticked. */
const accepted = (message = 'must be accepted') => (value) => ([true, 'on', 'true', 'yes'].includes(value) ? undefined : message);

/**
 * Counts characters (code points), not UTF-16 units.
 *
 * @param {{ min?: number, max?: number }} bounds
 * @param {string} [message]
 * @returns {Rule}
 */
function length({ min = 0, max = Infinity }, message) {
  const range = max === Infinity ? `at least ${min}` : `${min} to ${max}`;
  return rule((value) => {
    const count = [...String(value)].length;
    return count >= min && count <= max;
  }, message ?? `must have ${range} characters`);
}

/**
 * @param {{ min?: number, max?: number, integer?: boolean }} [bounds]
 * @param {string} [message]
 * @returns {Rule}
 */
function number({ min = -Infinity, max = Infinity, integer = false } = {}, message) {
  const bounds = [min > -Infinity && `at least ${min}`, max < Infinity && `at most ${max}`].filter(Boolean).join(' and ');
  const text = `must be ${integer ? 'an integer' : 'a number'}${bounds && ` of ${bounds}`}`;
  return rule((value) => {
    const isNumeric = typeof value === 'number' || /^[+-]?\d+(\.\d+)?$/.test(value);
    const parsed = Number(value);
    return isNumeric && Number.isFinite(parsed) && parsed >= min && parsed <= max && (!integer || Number.isInteger(parsed));
  }, message ?? text);
}

/**
 * @param {RegExp} expression
 * @param {string} [message]
 * @returns {Rule}
 */
function pattern(expression, message = 'has the wrong format') {
  // Without the flags that make `test` depend on earlier calls.
  const stateless = new RegExp(expression.source, expression.flags.replace(/[gy]/g, ''));
  return rule((value) => stateless.test(String(value)), message);
}

/**
 * Accepts the form of an address, as browsers do. Only a mail to it proves that it exists.
 *
 * @param {string} [message]
 * @returns {Rule}
 */
function email(message = 'must be an email address') {
  const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
  const address = new RegExp(`^[a-z0-9.!#$%&'*+/=?^_\`{|}~-]{1,64}@${label}(?:\\.${label})+$`, 'i');
  return rule((value) => String(value).length <= 254 && address.test(value), message);
}

/**
 * @param {any[]} allowed
 * @param {string} [message]
 * @returns {Rule}
 */
const oneOf = (allowed, message) => rule((value) => allowed.includes(value), message ?? `must be one of: ${allowed.join(', ')}`);

/**
 * @param {string} field The other field, such as `password` for its confirmation.
 * @param {string} [message]
 * @returns {Rule} Compares before the space around texts is removed from either.
 */
const sameAs = (field, message) => rule((value, values) => value === values[field], message ?? `must equal ${field}`);

/**
 * Returns a function that validates the values of a form.
 *
 * @param {Record<string, Rule | Rule[]>} schema The rules of each field, in the order in which they are checked.
 * @param {{ keepSpace?: string[] }} [options] Fields whose surrounding space counts, such as passwords.
 * @returns {(values: Record<string, any>) => ValidationResult}
 */
function createValidator(schema, { keepSpace = [] } = {}) {
  const fields = Object.entries(schema).map(([field, rules]) => [field, [rules].flat()]);
  for (const [field, rules] of fields) {
    if (rules.some((check) => typeof check !== 'function')) {
      throw new TypeError(`every rule of "${field}" must be a function`);
    }
  }
  return (input) => {
    if (typeof input !== 'object' || input === null) {
      throw new TypeError('the values must be an object');
    }
    const values = Object.create(null);
    for (const [field] of fields) {
      const value = Object.hasOwn(input, field) ? input[field] : undefined;
      values[field] = typeof value === 'string' && !keepSpace.includes(field) ? value.trim() : value;
    }
    const errors = Object.create(null);
    for (const [field, rules] of fields) {
      const message = rules.map((check) => check(values[field], values)).find((text) => text !== undefined);
      if (message !== undefined) errors[field] = message;
    }
    return { valid: Object.keys(errors).length === 0, errors, values };
  };
}

module.exports = { createValidator, rule, required, accepted, length, number, pattern, email, oneOf, sameAs };
