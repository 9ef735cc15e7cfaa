'use strict';

const SEGMENTER = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** A word in any case style: an acronym before a capitalized word, a word, an acronym, or digits. */
const WORD = /\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?\p{Ll}+|\p{Lu}+|\p{Lo}+|\p{N}+/gu;

/** Letters that do not decompose into a base letter and a mark. */
const TRANSLITERATED = Object.freeze({
  ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', đ: 'd', ð: 'd', ł: 'l', þ: 'th', ı: 'i',
});

/** @param {unknown} text */
function checkText(text) {
  if (typeof text !== 'string') {
    throw new TypeError('text must be a string');
  }
}

/**
 * Returns what readers see as characters: an emoji with its modifiers, or a letter with its accents, is one.
 *
 * @param {string} text
 * @returns {string[]}
 */
function characters(text) {
  checkText(text);
  return Array.from(SEGMENTER.segment(text), ({ segment }) => segment);
}

/** Returns the letters and digits of a text in one case and form. */
function letters(text) {
  const normalized = text.normalize('NFC').toLowerCase();
  return characters(normalized).filter((character) => /^[\p{L}\p{N}]/u.test(character));
}

/**
 * @param {string} text
 * @returns {string}
 */
function reverse(text) {
  return characters(text).reverse().join('');
}

/**
 * Returns whether the letters and digits read the same both ways, whatever their case; a text without any does.
 *
 * @param {string} text
 * @returns {boolean}
 */
function isPalindrome(text) {
  checkText(text);
  const found = letters(text);
  return found.every((letter, index) => letter === found[found.length - 1 - index]);
}

/**
 * Returns whether both texts have the same letters and digits, whatever their case and order.
 *
 * @param {string} first
 * @param {string} second
 * @returns {boolean}
 */
function areAnagrams(first, second) {
  [first, second].forEach(checkText);
  const sorted = (text) => letters(text).sort().join('\0');
  return sorted(first) === sorted(second);
}

/**
 * Makes the first character upper case and leaves the rest alone.
 *
 * @param {string} text
 * @returns {string}
 */
function capitalize(text) {
  const [first = '', ...rest] = characters(text);
  return first.toUpperCase() + rest.join('');
}

/**
 * Capitalizes each word between spaces; other letters become lower case.
 *
 * @param {string} text
 * @returns {string}
 */
function titleCase(text) {
  checkText(text);
  return text.toLowerCase().replace(/\S+/g, capitalize);
}

/**
 * Returns a text for addresses: lower-case ASCII letters and digits, joined by hyphens.
 *
 * @param {string} text
 * @param {{ maxLength?: number }} [options] Words that do not fit are dropped, unless the first is too long itself.
 * @returns {string} Empty where nothing of the text can be kept.
 */
function slugify(text, { maxLength = Infinity } = {}) {
  checkText(text);
  const plain = text.toLowerCase().normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^\0-\x7f]/gu, (letter) => TRANSLITERATED[letter] ?? ' ');
  const words = plain.replace(/['’]/g, '').match(/[a-z0-9]+/g) ?? [];
  let slug = '';
  for (const word of words) {
    const longer = slug === '' ? word : `${slug}-${word}`;
    if (longer.length > maxLength) return slug === '' ? word.slice(0, maxLength) : slug;
    slug = longer;
  }
  return slug;
}

/** Splits a text of any case style into words in lower case. */
function words(text) {
  checkText(text);
  return (text.match(WORD) ?? []).map((word) => word.toLowerCase());
}

/** @param {string} text */
const snakeCase = (text) => words(text).join('_');

/** @param {string} text */
const kebabCase = (text) => words(text).join('-');

/** @param {string} text */
const camelCase = (text) => words(text).map((word, index) => (index === 0 ? word : capitalize(word))).join('');

/**
 * Shortens a text to at most `maxLength` characters, the ellipsis included; at a space where there is one in the second half.
 *
 * @param {string} text
 * @param {number} maxLength
 * @param {string} [ellipsis]
 * @returns {string}
 */
function truncate(text, maxLength, ellipsis = '…') {
  const found = characters(text);
  const room = maxLength - characters(ellipsis).length;
  if (!Number.isSafeInteger(maxLength) || room < 0) {
    throw new RangeError('maxLength must be an integer that leaves room for the ellipsis');
  }
  if (found.length <= maxLength) return text;
  const kept = found.slice(0, room);
  const space = kept.lastIndexOf(' ');
  const isWordSplit = found[room] !== ' ' && space > room / 2;
  return kept.slice(0, isWordSplit ? space : room).join('').trimEnd() + ellipsis;
}

/**
 * Counts a, e, i, o and u, whatever their case and accents.
 *
 * @param {string} text
 * @returns {number}
 */
function countVowels(text) {
  checkText(text);
  return (text.normalize('NFD').match(/[aeiou]/gi) ?? []).length;
}

module.exports = { reverse, isPalindrome, areAnagrams, capitalize, titleCase, slugify, snakeCase, kebabCase, camelCase, truncate, countVowels };
