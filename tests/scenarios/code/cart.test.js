const { test } = require('node:test');
const assert = require('node:assert/strict');

function total(items) {
  return items.reduce((sum, item) => sum + item.price * (item.amount || 1), 0);
}

test('an empty cart costs nothing', () => assert.equal(total([]), 0));
test('amounts count', () => assert.equal(total([{ price: 2, amount: 3 }]), 6));
