"""Elementary functions from `math` and from NumPy."""

import math
from math import cos, exp, log, pi, sin, sqrt

import numpy as np
from numpy.linalg import norm

from tests.corpus import example


@example(0.6, 1.7)
def from_the_math_module(x, y):
    return math.sin(x) * math.exp(-y) + math.sqrt(x * y) + math.log(x + y) * math.cos(y) - math.tan(x)


@example(0.3, 0.8)
def inverse_and_hyperbolic(x, y):
    return math.asin(x) + math.acos(y) + math.atan(x * y) + math.sinh(x) * math.cosh(y) + math.tanh(x - y)


@example(1.3, 0.4)
def two_arguments(x, y):
    return math.atan2(x, y) + math.hypot(x, y) + math.pow(x, y)


@example(0.7)
def imported_by_name(t):
    return sqrt(1.0 + t) * sin(2 * pi * t) + exp(-t) * cos(t) - log(1 + t * t)


@example(0.7, analytic=True)
def numpy_exponentials(x):
    return np.exp(x) + np.exp2(x) + np.expm1(x) + np.log(x) + np.log2(x) + np.log10(x) + np.log1p(x)


@example(0.45, analytic=True)
def numpy_trigonometry(x):
    return np.sin(x) * np.cos(x) + np.tan(x) - np.arcsin(x) * np.arccos(x) + np.arctan(x)


@example(0.45)
def numpy_hyperbolic(x):
    return np.sinh(x) * np.cosh(x) + np.tanh(x) + np.arcsinh(x) - np.arctanh(x) + np.arccosh(x + 1.5)


@example(1.4, analytic=True)
def numpy_powers(x):
    return np.sqrt(x) + np.square(x) + np.reciprocal(x) + np.power(x, 3) + np.power(2.5, x)


@example(1.4, 0.3)
def numpy_of_two(x, y):
    return np.arctan2(x, y) * np.hypot(x, y) + np.logaddexp(x, y) + np.maximum(x, y) - np.minimum(x, y)


@example(1.4, -0.3)
def signs_and_rounding(x, y):
    return np.sign(y) * x + np.floor(x) * y + np.ceil(y) * x + np.round(x * y, 0) * x + np.cbrt(x)


@example(0.9)
def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


@example(1.1)
def softplus(x):
    return np.log1p(np.exp(-abs(x))) + max(x, 0.0)


@example(0.8, 0.3, 1.2)
def gaussian(x, mean, deviation):
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (deviation * np.sqrt(2.0 * np.pi))


@example(100.0, 105.0, 0.5, 0.02, 0.3)
def black_scholes_like(spot, strike, years, rate, volatility):
    d1 = (np.log(spot / strike) + (rate + volatility**2 / 2) * years) / (volatility * np.sqrt(years))
    d2 = d1 - volatility * np.sqrt(years)

    def phi(d):
        return 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (d + 0.044715 * d**3)))

    return spot * phi(d1) - strike * np.exp(-rate * years) * phi(d2)


@example(0.4, 2.0)
def bessel_like_series(x, nu):
    term = (x / 2) ** nu
    total = term
    for k in range(1, 12):
        term = -term * (x / 2) ** 2 / (k * (k + nu))
        total = total + term
    return total


@example(0.3, 0.7, 1.9)
def haversine(lat1, lat2, dlon):
    a = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin(dlon / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(a))


@example(np.array([0.6, -1.2, 2.0]))
def norm_of_vector(x):
    return norm(x) + np.linalg.norm(2.0 * x - 1.0)


@example(np.array([0.6, 1.2, 2.0]), analytic=True)
def elementwise_on_array(x):
    return np.sin(x) * np.exp(-x) + np.sqrt(x) / (1 + x**2)


@example(2.7)
def python_numbers(x):
    return float(x) * int(3.9) + round(2.4) * x + pow(x, 2) + divmod(7, 2)[1] * x


@example(2.7, -0.4)
def builtin_extremes(x, y):
    return max(x, y, 0.5) * min(x, y) + sum([x, y, x * y])


@example(0.7, smooth=False)
def clipping(x):
    return np.clip(2.0 * x, -1.0, 1.0) * x + np.clip(x, 0.0, 1.0) + min(max(x, 0.1), 0.9)


@example(50.0, 0.25)
def magnus_dew_point(humidity, celsius):
    gamma = math.log(humidity / 100.0) + 17.62 * celsius / (243.12 + celsius)
    return 243.12 * gamma / (17.62 - gamma)


@example(np.array([0.2, 0.5, 0.3]), np.array([0.1, 0.6, 0.3]))
def divergence_of_distributions(p, q):
    return np.sum(p * np.log(p / q)) + np.sum(np.where(p > 0, p * np.log2(p), 0.0))
