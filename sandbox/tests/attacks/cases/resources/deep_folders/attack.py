import os

from evidence import attempt

def nest():
    for number in range(200000):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    return number

attempt("nest", nest)
