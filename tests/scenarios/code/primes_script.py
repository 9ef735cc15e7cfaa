limit = 30
found = []
for number in range(2, limit):
    if all(number % prime for prime in found):
        found.append(number)
print("primes:", *found)
