# at: 1.3, 5
def power(x: float, n: int) -> float:
    a = 1.0
    for i in range(n):
        a = a * x
    return a
