CREATE TABLE sales (region TEXT, amount INTEGER);
INSERT INTO sales VALUES ('north', 40), ('south', 25), ('north', 10);
SELECT region, sum(amount) FROM sales GROUP BY region ORDER BY region;
