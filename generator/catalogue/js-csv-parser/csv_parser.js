'use strict';

/**
 * @typedef {object} Format
 * @property {string} [delimiter] One character between fields.
 * @property {boolean} [header] Whether the first row names the columns.
 */

class CsvError extends SyntaxError {
  /**
   * @param {number} line
   * @param {string} reason
   */
  constructor(line, reason) {
    super(`line ${line}: ${reason}`);
    this.name = 'CsvError';
    this.line = line;
  }
}

/** @param {unknown} delimiter */
function checkDelimiter(delimiter) {
  if (typeof delimiter !== 'string' || delimiter.length !== 1 || '"\r\n'.includes(delimiter)) {
    throw new RangeError('delimiter must be one character, and neither a quote nor a line break');
  }
}

/** Reads CSV from left to right. */
class Reader {
  #text;
  #delimiter;
  #at = 0;
  #line = 1;

  constructor(text, delimiter) {
    this.#text = text;
    this.#delimiter = delimiter;
    // A byte order mark belongs to no field.
    if (text.startsWith('\uFEFF')) this.#at = 1;
  }

  get line() {
    return this.#line;
  }

  get isAtEnd() {
    return this.#at >= this.#text.length;
  }

  /** @returns {string[]} */
  row() {
    const fields = [this.#field()];
    while (this.#text[this.#at] === this.#delimiter) {
      this.#at += 1;
      fields.push(this.#field());
    }
    this.#lineBreak();
    return fields;
  }

  #field() {
    return this.#text[this.#at] === '"' ? this.#quoted() : this.#plain();
  }

  #plain() {
    const start = this.#at;
    while (!this.isAtEnd && !this.#endsField()) {
      if (this.#text[this.#at] === '"') {
        throw new CsvError(this.#line, 'a quote within a field that does not start with one');
      }
      this.#at += 1;
    }
    return this.#text.slice(start, this.#at);
  }

  #quoted() {
    const opened = this.#line;
    let value = '';
    for (;;) {
      const close = this.#text.indexOf('"', this.#at + 1);
      if (close < 0) throw new CsvError(opened, 'a quoted field is not closed');
      const part = this.#text.slice(this.#at + 1, close);
      this.#line += part.split('\n').length - 1;
      value += part;
      this.#at = close + 1;
      if (this.#text[this.#at] !== '"') break;
      value += '"';
    }
    if (!this.isAtEnd && !this.#endsField()) {
      throw new CsvError(this.#line, 'text follows a closing quote');
    }
    return value;
  }

  #endsField() {
    return this.#text[this.#at] === this.#delimiter || '\r\n'.includes(this.#text[this.#at]);
  }

  #lineBreak() {
    if (this.#text[this.#at] === '\r') this.#at += 1;
    if (this.#text[this.#at] === '\n') this.#at += 1;
    this.#line += 1;
  }
}

/**
 * Parses CSV into rows of strings.
 *
 * @param {string} text
 * @param {{ delimiter?: string }} [options]
 * @returns {string[][]}
 */
function parseRows(text, { delimiter = ',' } = {}) {
  if (typeof text !== 'string') {
    throw new TypeError('the CSV must be a string');
  }
  checkDelimiter(delimiter);
  const reader = new Reader(text, delimiter);
  const rows = [];
  while (!reader.isAtEnd) {
    const { line } = reader;
    const row = reader.row();
    if (rows.length > 0 && row.length !== rows[0].length) {
      throw new CsvError(line, `${row.length} fields; the first row has ${rows[0].length}`);
    }
    rows.push(row);
  }
  return rows;
}

/**
 * Parses CSV whose first row names the columns into one object for each further row.
 *
 * @param {string} text
 * @param {{ delimiter?: string }} [options]
 * @returns {Array<Record<string, string>>} Objects without a prototype, so that any column name is data.
 */
function parseObjects(text, options) {
  const [header, ...rows] = parseRows(text, options);
  if (header === undefined) return [];
  const repeated = header.find((name, index) => header.indexOf(name) < index);
  if (repeated !== undefined) {
    throw new CsvError(1, `the column "${repeated}" is named twice`);
  }
  return rows.map((row) => Object.assign(Object.create(null), Object.fromEntries(header.map((name, index) => [name, row[index]]))));
}

/**
 * Writes rows as CSV with CRLF line breaks. Fields are quoted where necessary; `null` and `undefined` are empty.
 *
 * @param {Iterable<Iterable<unknown>>} rows
 * @param {{ delimiter?: string }} [options]
 * @returns {string}
 */
function formatRows(rows, { delimiter = ',' } = {}) {
  checkDelimiter(delimiter);
  const quoted = (value) => {
    const text = String(value ?? '');
    return /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return Array.from(rows, (row) => `${Array.from(row, quoted).join(delimiter)}\r\n`).join('');
}

/**
 * Writes objects as CSV with a header row.
 *
 * @param {object[]} objects
 * @param {{ delimiter?: string, columns?: string[] }} [options] `columns` are the keys of the first object by default.
 * @returns {string}
 */
function formatObjects(objects, { columns = Object.keys(objects[0] ?? {}), ...options } = {}) {
  const rows = objects.map((object) => columns.map((column) => object[column]));
  return columns.length === 0 ? '' : formatRows([columns, ...rows], options);
}

module.exports = { parseRows, parseObjects, formatRows, formatObjects, CsvError };
