'use strict';

const MONTHS = Object.freeze([
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December',
]);
const WEEKDAYS = Object.freeze(['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']);

/** Text in square brackets, the tokens (the longest first), or any other character. */
const PIECE = /\[([^\]]*)\]|YYYY|MMMM|MMM|MM|M|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|A|Z|./gs;

const pad = (number, width) => String(number).padStart(width, '0');

/**
 * @param {Date} date
 * @param {boolean} utc
 */
function partsOf(date, utc) {
  const get = (name) => date[`get${utc ? 'UTC' : ''}${name}`]();
  return {
    year: get('FullYear'),
    month: get('Month') + 1,
    day: get('Date'),
    weekday: get('Day'),
    hour: get('Hours'),
    minute: get('Minutes'),
    second: get('Seconds'),
    millisecond: get('Milliseconds'),
    offsetMinutes: utc ? 0 : -date.getTimezoneOffset(),
  };
}

function yearOf(year) {
  // ISO 8601 writes years outside 0 to 9999 with a sign and six digits.
  if (year >= 0 && year <= 9999) return pad(year, 4);
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
}

function offsetOf(minutes) {
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(absolute / 60), 2)}:${pad(absolute % 60, 2)}`;
}

/** The text of each token. @type {Record<string, (parts: ReturnType<typeof partsOf>) => string>} */
const TOKENS = Object.freeze({
  YYYY: ({ year }) => yearOf(year),
  MMMM: ({ month }) => MONTHS[month - 1],
  MMM: ({ month }) => MONTHS[month - 1].slice(0, 3),
  MM: ({ month }) => pad(month, 2),
  M: ({ month }) => String(month),
  DD: ({ day }) => pad(day, 2),
  D: ({ day }) => String(day),
  dddd: ({ weekday }) => WEEKDAYS[weekday],
  ddd: ({ weekday }) => WEEKDAYS[weekday].slice(0, 3),
  HH: ({ hour }) => pad(hour, 2),
  H: ({ hour }) => String(hour),
  hh: ({ hour }) => pad(hour % 12 || 12, 2),
  h: ({ hour }) => String(hour % 12 || 12),
  mm: ({ minute }) => pad(minute, 2),
  m: ({ minute }) => String(minute),
  ss: ({ second }) => pad(second, 2),
  s: ({ second }) => String(second),
  SSS: ({ millisecond }) => pad(millisecond, 3),
  A: ({ hour }) => (hour < 12 ? 'AM' : 'PM'),
  Z: ({ offsetMinutes }) => offsetOf(offsetMinutes),
});

/** @param {unknown} date */
function checkDate(date) {
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
    throw new TypeError('date must be a valid Date');
  }
}

/**
 * Formats a date by a pattern such as `YYYY-MM-DD HH:mm`. Text in square brackets is copied.
 *
 * @param {Date} date
 * @param {string} [pattern]
 * @param {{ utc?: boolean }} [options] Local time by default.
 * @returns {string}
 */
function formatDate(date, pattern = 'YYYY-MM-DD', { utc = false } = {}) {
  checkDate(date);
  const parts = partsOf(date, utc);
  return pattern.replace(PIECE, (piece, literal) => {
    if (literal !== undefined) return literal;
    return Object.hasOwn(TOKENS, piece) ? TOKENS[piece](parts) : piece;
  });
}

/** The tokens that `parseDate` reads, with their digits. */
const READABLE = Object.freeze({ YYYY: 4, MM: 2, DD: 2, HH: 2, mm: 2, ss: 2, SSS: 3 });

/**
 * Parses a text that has exactly the form of a pattern of `YYYY`, `MM`, `DD`, `HH`, `mm`, `ss`, `SSS` and separators.
 *
 * @param {string} text
 * @param {string} [pattern]
 * @param {{ utc?: boolean }} [options]
 * @returns {Date}
 * @throws {RangeError} Where the text does not fit, or is no date of the calendar.
 */
function parseDate(text, pattern = 'YYYY-MM-DD', { utc = false } = {}) {
  const read = { YYYY: 1970, MM: 1, DD: 1, HH: 0, mm: 0, ss: 0, SSS: 0 };
  const fail = () => new RangeError(`"${text}" is not a date of the form ${pattern}`);
  let at = 0;
  for (const [piece, literal] of pattern.matchAll(PIECE)) {
    const width = Object.hasOwn(READABLE, piece) ? READABLE[piece] : (literal ?? piece).length;
    const part = text.slice(at, at + width);
    at += width;
    if (Object.hasOwn(READABLE, piece)) {
      if (part.length !== width || !/^\d+$/.test(part)) throw fail();
      read[piece] = Number(part);
    } else if (literal === undefined && Object.hasOwn(TOKENS, piece)) {
      throw new RangeError(`the token ${piece} cannot be parsed`);
    } else if (part !== (literal ?? piece)) {
      throw fail();
    }
  }
  const date = new Date(0);
  date[utc ? 'setUTCFullYear' : 'setFullYear'](read.YYYY, read.MM - 1, read.DD);
  date[utc ? 'setUTCHours' : 'setHours'](read.HH, read.mm, read.ss, read.SSS);
  const parts = partsOf(date, utc);
  // A day such as 31 April would silently become 1 May.
  const isSame = parts.year === read.YYYY && parts.month === read.MM && parts.day === read.DD;
  if (at !== text.length || !isSame || read.HH > 23 || read.mm > 59 || read.ss > 59) throw fail();
  return date;
}

const UNITS = Object.freeze([['year', 31_536_000], ['month', 2_592_000], ['week', 604_800], ['day', 86_400], ['hour', 3600], ['minute', 60]]);

/**
 * Says how long before or after `now` a date is: `3 hours ago`, `in 2 days`, `just now`.
 *
 * @param {Date} date
 * @param {Date} [now]
 * @returns {string}
 */
function timeAgo(date, now = new Date()) {
  checkDate(date);
  checkDate(now);
  const seconds = (now.getTime() - date.getTime()) / 1000;
  const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
  if (unit === undefined) return 'just now';
  const count = Math.floor(Math.abs(seconds) / unit[1]);
  const amount = `${count} ${unit[0]}${count === 1 ? '' : 's'}`;
  return seconds > 0 ? `${amount} ago` : `in ${amount}`;
}

module.exports = { formatDate, parseDate, timeAgo };
