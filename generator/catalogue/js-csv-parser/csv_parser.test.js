'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { parseRows, parseObjects, formatRows, formatObjects, CsvError } = require('./csv_parser.js');

test('rows end with any line break, the last one with or without', () => {
  for (const text of ['a,b\n1,2', 'a,b\r\n1,2\r\n', 'a,b\r1,2\r', '\uFEFFa,b\n1,2\n']) {
    assert.deepEqual(parseRows(text), [['a', 'b'], ['1', '2']], JSON.stringify(text));
  }
  assert.deepEqual(parseRows(''), []);
});

test('quoted fields hold delimiters, quotes and line breaks', () => {
  assert.deepEqual(parseRows('"a,b","say ""hi""","x\r\ny",""\n'), [['a,b', 'say "hi"', 'x\r\ny', '']]);
});

test('empty fields and spaces are kept', () => {
  assert.deepEqual(parseRows(',, a \n'), [['', '', ' a ']]);
  assert.deepEqual(parseRows('a\n\nb\n'), [['a'], [''], ['b']]);
});

test('other delimiters', () => {
  assert.deepEqual(parseRows('a;b,c;"d;e"', { delimiter: ';' }), [['a', 'b,c', 'd;e']]);
  assert.deepEqual(parseRows('a\tb', { delimiter: '\t' }), [['a', 'b']]);
});

test('objects are named by the header', () => {
  const objects = parseObjects('name,age\nAda,36\n"Hopper, Grace",85\n');
  assert.deepEqual(objects.map((object) => ({ ...object })), [{ name: 'Ada', age: '36' }, { name: 'Hopper, Grace', age: '85' }]);
  assert.deepEqual(parseObjects('a,b'), []);
  assert.deepEqual(parseObjects(''), []);
});

test('a column may have any name', () => {
  const [object] = parseObjects('constructor,toString\n1,2');
  assert.deepEqual([object.constructor, object.toString, Object.getPrototypeOf(object)], ['1', '2', null]);
});

test('errors name the line', () => {
  const cases = [
    ['a,b\n1,2,3', 2, /3 fields; the first row has 2/],
    ['a\n"b\nc', 2, /not closed/],
    ['"a\nb"\nc"d', 3, /quote within/],
    ['"a"b', 1, /follows a closing quote/],
  ];
  for (const [text, line, message] of cases) {
    assert.throws(() => parseRows(text), (error) => error instanceof CsvError && error.line === line && message.test(error.message), text);
  }
  assert.throws(() => parseObjects('a,a\n1,2'), /"a" is named twice/);
});

test('fields are quoted only where necessary', () => {
  assert.equal(formatRows([['a', 'b c', 'd,e'], ['"', 'x\ny', null], [1.5, true, undefined]]), 'a,b c,"d,e"\r\n"""","x\ny",\r\n1.5,true,\r\n');
  assert.equal(formatRows([['a,b', 'c;d']], { delimiter: ';' }), 'a,b;"c;d"\r\n');
  assert.equal(formatRows([]), '');
});

test('objects are written with a header', () => {
  const objects = [{ id: 1, name: 'Ada' }, { name: 'Grace', id: 2, extra: 'x' }];
  assert.equal(formatObjects(objects), 'id,name\r\n1,Ada\r\n2,Grace\r\n');
  assert.equal(formatObjects(objects, { columns: ['name', 'extra'], delimiter: ';' }), 'name;extra\r\nAda;\r\nGrace;x\r\n');
  assert.equal(formatObjects([]), '');
});

test('parsing reverses writing', () => {
  const rows = [['', '"', ',', '\n'], ['a"b', 'ü', ' ', '\r\n']];
  assert.deepEqual(parseRows(formatRows(rows)), rows);
});

test('a long field is read in linear time', () => {
  const value = '"x'.repeat(100_000);
  assert.deepEqual(parseRows(formatRows([[value]])), [[value]]);
});

test('misuse is refused', () => {
  for (const delimiter of ['', ';;', '"', '\n', 5]) {
    assert.throws(() => parseRows('a', { delimiter }), RangeError);
    assert.throws(() => formatRows([], { delimiter }), RangeError);
  }
  assert.throws(() => parseRows(Buffer.from('a')), TypeError);
});
