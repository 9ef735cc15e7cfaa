function total(items) {
  return items.reduce((sum, item) => sum + item.price * (item.amount || 1), 0);
}

const items = [{ price: 2.5, amount: 2 }, { price: 10 }];
console.log('total', total(items));
