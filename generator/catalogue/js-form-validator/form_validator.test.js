'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { createValidator, rule, required, accepted, length, number, pattern, email, oneOf, sameAs } = require('./form_validator.js');

const passes = (check, value) => check(value, {}) === undefined;

const signup = createValidator({
  name: [required(), length({ max: 40 })],
  email: [required('Please enter your address.'), email()],
  password: [required(), length({ min: 12 })],
  confirmation: [required(), sameAs('password')],
  age: number({ min: 18, integer: true }),
  terms: accepted(),
}, { keepSpace: ['password', 'confirmation'] });

const VALID = { name: 'Ada', email: 'ada@example.org', password: 'correct horse ', confirmation: 'correct horse ', age: '36', terms: 'on' };

test('a valid form has no errors', () => {
  const result = signup({ ...VALID, name: '  Ada ' });
  assert.equal(result.valid, true);
  assert.deepEqual({ ...result.errors }, {});
  assert.deepEqual([result.values.name, result.values.password], ['Ada', 'correct horse ']);
});

test('each invalid field has its first message', () => {
  const result = signup({ name: ' ', password: 'short', confirmation: 'other', age: '17' });
  assert.equal(result.valid, false);
  assert.deepEqual({ ...result.errors }, {
    name: 'is required',
    email: 'Please enter your address.',
    password: 'must have at least 12 characters',
    confirmation: 'must equal password',
    age: 'must be an integer of at least 18',
    terms: 'must be accepted',
  });
});

test('optional fields may be empty, unknown ones are left out', () => {
  const result = signup({ ...VALID, age: '', isAdmin: true });
  assert.equal(result.valid, true);
  assert.deepEqual(Object.keys(result.values), ['name', 'email', 'password', 'confirmation', 'age', 'terms']);
});

test('inherited properties are no values', () => {
  const validate = createValidator({ toString: required(), __proto__x: required() });
  assert.deepEqual(Object.keys(validate({}).errors), ['toString', '__proto__x']);
});

test('addresses', () => {
  for (const value of ['a@b.co', "o'neil+tag@mail.example.com", 'x@1a-b.de']) assert.ok(passes(email(), value), value);
  for (const value of ['a', 'a@b', '@b.co', 'a@-b.co', 'a@b..co', 'a b@c.co', 'a@b.co\n', `${'a'.repeat(65)}@b.co`, `a@${'b.'.repeat(130)}co`]) {
    assert.ok(!passes(email(), value), JSON.stringify(value));
  }
});

test('numbers', () => {
  const percent = number({ min: 0, max: 100 });
  for (const value of [0, '0', '100', '12.5', 99.9]) assert.ok(passes(percent, value), String(value));
  for (const value of ['-1', '101', 'x', '1e2', '0x10', '1,5', NaN, Infinity, ' 1']) assert.ok(!passes(percent, value), String(value));
  assert.equal(percent('x', {}), 'must be a number of at least 0 and at most 100');
  assert.ok(!passes(number({ integer: true }), '1.5'));
});

test('lengths count characters', () => {
  assert.ok(passes(length({ max: 2 }), '😀é'));
  assert.equal(length({ min: 2, max: 3 })('abcd', {}), 'must have 2 to 3 characters');
});

test('patterns keep no state', () => {
  const digits = pattern(/\d+/g, 'digits only');
  assert.deepEqual([passes(digits, '1'), passes(digits, '1'), digits('x', {})], [true, true, 'digits only']);
});

test('choices and custom rules', () => {
  assert.equal(oneOf(['red', 'green'])('blue', {}), 'must be one of: red, green');
  const validate = createValidator({ from: [], to: rule((value, values) => value >= values.from, 'must not be before from') });
  assert.deepEqual({ ...validate({ from: 3, to: 2 }).errors }, { to: 'must not be before from' });
  assert.equal(validate({ from: 3, to: 3 }).valid, true);
});

test('zero and false are values, an empty list is none', () => {
  assert.ok(passes(required(), 0));
  assert.ok(passes(required(), false));
  assert.ok(!passes(required(), []));
});

test('misuse is refused', () => {
  assert.throws(() => createValidator({ a: [required] , b: 'required' }), /"b"/);
  for (const values of [null, 'text', undefined]) assert.throws(() => signup(values), TypeError);
});
