'use strict';

const { test } = require('node:test');
const assert = require('node:assert/strict');
const { formatDate, parseDate, timeAgo } = require('./date_format.js');

const DATE = new Date(Date.UTC(2024, 1, 5, 15, 4, 9, 70));
const utc = { utc: true };

test('every token', () => {
  const cases = {
    'YYYY-MM-DD': '2024-02-05',
    'D.M.YYYY': '5.2.2024',
    'dddd, MMMM D': 'Monday, February 5',
    'ddd MMM DD': 'Mon Feb 05',
    'HH:mm:ss.SSS': '15:04:09.070',
    'H:m:s': '15:4:9',
    'hh:mm A': '03:04 PM',
    'h A': '3 PM',
    'YYYY-MM-DD[T]HH:mm:ssZ': '2024-02-05T15:04:09+00:00',
    '[Day] D [of] MMMM': 'Day 5 of February',
    '': '',
  };
  for (const [pattern, expected] of Object.entries(cases)) {
    assert.equal(formatDate(DATE, pattern, utc), expected, pattern);
  }
});

test('midnight and noon on a clock of twelve hours', () => {
  assert.equal(formatDate(new Date(Date.UTC(2024, 0, 1, 0, 5)), 'h:mm A', utc), '12:05 AM');
  assert.equal(formatDate(new Date(Date.UTC(2024, 0, 1, 12, 5)), 'h:mm A', utc), '12:05 PM');
});

test('local time by default', () => {
  const local = new Date(2024, 11, 31, 23, 59);
  assert.equal(formatDate(local), '2024-12-31');
  assert.equal(formatDate(local, 'DD/MM/YYYY HH:mm'), '31/12/2024 23:59');
  assert.match(formatDate(local, 'Z'), /^[+-]\d\d:\d\d$/);
});

test('years outside four digits', () => {
  assert.equal(formatDate(new Date(Date.UTC(12024, 0, 1)), 'YYYY', utc), '+012024');
  assert.equal(formatDate(new Date('-000005-06-01T00:00:00Z'), 'YYYY', utc), '-000005');
});

test('dates are parsed by a pattern', () => {
  assert.equal(parseDate('2024-02-29', undefined, utc).toISOString(), '2024-02-29T00:00:00.000Z');
  assert.equal(parseDate('05/02/2024 15:04', 'DD/MM/YYYY HH:mm', utc).toISOString(), '2024-02-05T15:04:00.000Z');
  assert.equal(parseDate('20240205T150409.070', 'YYYYMMDD[T]HHmmss.SSS', utc).getTime(), DATE.getTime());
  assert.equal(parseDate('0099-01-01', undefined, utc).getUTCFullYear(), 99);
});

test('parsing reverses formatting in local time', () => {
  const pattern = 'YYYY-MM-DD HH:mm:ss.SSS';
  const date = new Date(2023, 6, 14, 8, 30, 15, 123);
  assert.equal(parseDate(formatDate(date, pattern), pattern).getTime(), date.getTime());
});

test('texts that do not fit, and days that do not exist, are refused', () => {
  for (const text of ['', '2024-2-05', '2024-02-30', '2023-02-29', '2024-13-01', '2024-00-10', '2024/02/05', '2024-02-05 ', '2024-02-0x']) {
    assert.throws(() => parseDate(text), RangeError, text);
  }
  assert.throws(() => parseDate('24:00', 'HH:mm'), RangeError);
  assert.throws(() => parseDate('12:60', 'HH:mm'), RangeError);
  assert.throws(() => parseDate('May', 'MMM'), /token MMM/);
});

test('how long ago', () => {
  const now = DATE;
  const ago = (seconds) => timeAgo(new Date(now.getTime() - seconds * 1000), now);
  const cases = [
    [0, 'just now'], [59, 'just now'], [60, '1 minute ago'], [3599, '59 minutes ago'], [3600, '1 hour ago'],
    [86_399, '23 hours ago'], [86_400, '1 day ago'], [604_800, '1 week ago'], [2_592_000, '1 month ago'],
    [31_536_000, '1 year ago'], [70_000_000, '2 years ago'], [-30, 'just now'], [-7200, 'in 2 hours'],
  ];
  for (const [seconds, expected] of cases) {
    assert.equal(ago(seconds), expected, String(seconds));
  }
});

test('misuse is refused', () => {
  for (const date of [new Date(NaN), '2024-01-01', 0, null, undefined]) {
    assert.throws(() => formatDate(date), TypeError);
    assert.throws(() => timeAgo(date), TypeError);
  }
});
