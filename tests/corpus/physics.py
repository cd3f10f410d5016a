"""Simulations: integrators, stencils, particles, filters, probabilities."""

import numpy as np

from tests.corpus import example

GRID = np.sin(np.linspace(0.0, 3.0, 12))
PLATE = np.outer(np.sin(np.linspace(0.1, 3.0, 6)), np.cos(np.linspace(0.0, 2.0, 6)))


@example(np.array([1.0, 0.3]), 0.8, 20)
def pendulum_leapfrog(state, length, steps):
    theta, omega = state[0], state[1]
    dt = 0.05
    for _ in range(steps):
        omega = omega - 0.5 * dt * 9.81 / length * np.sin(theta)
        theta = theta + dt * omega
        omega = omega - 0.5 * dt * 9.81 / length * np.sin(theta)
    return 0.5 * (length * omega) ** 2 - 9.81 * length * np.cos(theta)


@example(np.array([1.0, 1.0, 1.0]), 10.0, 28.0, 8.0 / 3.0, 15)
def lorenz_runge_kutta(y, sigma, rho, beta, steps):
    def rhs(s):
        return np.array([sigma * (s[1] - s[0]), s[0] * (rho - s[2]) - s[1], s[0] * s[1] - beta * s[2]])

    h = 0.01
    for _ in range(steps):
        k1 = rhs(y)
        k2 = rhs(y + 0.5 * h * k1)
        k3 = rhs(y + 0.5 * h * k2)
        k4 = rhs(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum(y**2)


@example(np.array([1.0, 0.5]), 1.1, 0.4, 0.1, 0.4)
def lotka_volterra(y, a, b, c, d):
    x, p = y
    dt = 0.02
    for i in range(25):
        dx = a * x - b * x * p
        dp = c * x * p - d * p
        x += dt * dx
        p += dt * dp
    return x * p


@example(GRID, 0.2, 10)
def heat_equation(u, alpha, steps):
    u = u.copy()
    for _ in range(steps):
        u[1:-1] = u[1:-1] + alpha * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u**2)


@example(PLATE, 0.15, 4)
def heat_equation_2d(T, alpha, steps):
    for n in range(steps):
        new = T.copy()
        new[1:-1, 1:-1] = T[1:-1, 1:-1] + alpha * (
            T[2:, 1:-1] + T[:-2, 1:-1] + T[1:-1, 2:] + T[1:-1, :-2] - 4 * T[1:-1, 1:-1]
        )
        new[0, :] = new[1, :]
        new[:, -1] = 0.3
        T = new
    return np.sum(T * T)


@example(GRID, 0.4, 8)
def advection_upwind(u, c, steps):
    for _ in range(steps):
        u = u - c * (u - np.roll(u, 1))
    return np.sum(u[:6] ** 2)


@example(GRID, 0.3, 8)
def burgers(u, nu, steps):
    dx, dt = 0.3, 0.02
    u = u.copy()
    for _ in range(steps):
        un = u.copy()
        for i in range(1, len(u) - 1):
            u[i] = un[i] - un[i] * dt / dx * (un[i] - un[i - 1]) + nu * dt / dx**2 * (un[i + 1] - 2 * un[i] + un[i - 1])
        u[0] = un[-2]
        u[-1] = u[0]
    return np.sum(u**2)


@example(GRID, np.zeros(12), 0.5, 10)
def wave_equation(u, previous, c, steps):
    for _ in range(steps):
        following = np.zeros_like(u)
        following[1:-1] = 2 * u[1:-1] - previous[1:-1] + c**2 * (u[2:] - 2 * u[1:-1] + u[:-2])
        previous, u = u, following
    return np.sum(u**2)


@example(np.zeros(11), np.cos(np.arange(10.0)), 6)
def fdtd_1d(ez, hy, steps):
    for t in range(steps):
        hy[:] = hy + 0.5 * (ez[1:] - ez[:-1])
        ez[1:-1] += 0.5 * (hy[1:] - hy[:-1])
        ez[0] = np.sin(0.3 * t)
    return np.sum(ez**2) + np.sum(hy * hy)


@example(np.random.default_rng(3).normal(size=(4, 2)), np.array([1.0, 2.0, 0.5, 1.5]))
def gravitational_energy(positions, masses):
    energy = 0.0
    n = len(masses)
    for i in range(n):
        for j in range(i + 1, n):
            r = positions[i] - positions[j]
            energy -= masses[i] * masses[j] / np.sqrt(np.sum(r**2) + 0.01)
    return energy


@example(np.random.default_rng(3).normal(size=(4, 2)), np.zeros((4, 2)), np.array([1.0, 2.0, 0.5, 1.5]), 4)
def n_body(x, v, m, steps):
    dt = 0.02
    for _ in range(steps):
        d = x[None, :, :] - x[:, None, :]
        r2 = np.sum(d**2, axis=-1) + 0.1
        a = np.sum(m[None, :, None] * d / r2[:, :, None] ** 1.5, axis=1)
        v = v + dt * a
        x = x + dt * v
    return 0.5 * np.sum(m[:, None] * v**2)


@example(np.array([0.9, 1.1, 2.0, 3.1]))
def lennard_jones_chain(r):
    energy = 0.0
    for i in range(1, r.size):
        d = r[i] - r[i - 1] + 0.8
        s6 = (1.0 / d) ** 6
        energy += 4.0 * (s6 * s6 - s6)
    return energy


@example(
    np.array([0.6, 0.4]),
    np.array([[0.7, 0.3], [0.2, 0.8]]),
    np.array([[0.5, 0.5], [0.1, 0.9]]),
    np.array([0, 1, 1, 0]),
    wrt="initial, A, B",
)
def hidden_markov_forward(initial, A, B, observations):
    alpha = initial * B[:, observations[0]]
    loglik = 0.0
    for o in observations[1:]:
        scale = np.sum(alpha)
        loglik += np.log(scale)
        alpha = (alpha / scale) @ A * B[:, o]
    return loglik + np.log(np.sum(alpha))


@example(0.3, 0.2, np.array([1.0, 1.3, 0.8, 1.1, 1.6]))
def kalman_filter_scalar(q, r, measurements):
    x, p = 0.0, 1.0
    loglik = 0.0
    for z in measurements:
        p = p + q
        s = p + r
        k = p / s
        innovation = z - x
        loglik += -0.5 * (np.log(2 * np.pi * s) + innovation**2 / s)
        x = x + k * innovation
        p = (1 - k) * p
    return loglik


@example(np.array([0.5, 0.1]), np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([[0.8, -0.2], [0.3, 0.4], [1.0, 0.1]]), 0.5)
def kalman_filter_matrix(x, F, zs, noise):
    P = np.eye(2)
    R = noise * np.eye(2)
    total = 0.0
    for z in zs:
        x = F @ x
        P = F @ P @ F.T + 0.01 * np.eye(2)
        S = P + R
        K = P @ np.linalg.inv(S)
        y = z - x
        total += y @ np.linalg.solve(S, y) + np.log(np.linalg.det(S))
        x = x + K @ y
        P = (np.eye(2) - K) @ P
    return total


@example(np.array([1.0, 0.0]), 2.0, 0.3, 12)
def damped_oscillator(state, stiffness, damping, steps):
    trajectory = np.zeros((steps + 1, 2))
    trajectory[0] = state
    for i in range(steps):
        x, v = trajectory[i]
        trajectory[i + 1, 0] = x + 0.1 * v
        trajectory[i + 1, 1] = v + 0.1 * (-stiffness * x - damping * v)
    return np.sum(trajectory[:, 0] ** 2)


@example(45.0, 0.7, 30.0)
def projectile_with_drag(speed, angle, drag):
    x, y = 0.0, 0.0
    vx, vy = speed * np.cos(angle), speed * np.sin(angle)
    dt = 0.1
    steps = 0
    while y >= 0.0 and steps < 15:
        v = np.hypot(vx, vy)
        vx -= dt * drag * 1e-4 * v * vx
        vy -= dt * (9.81 + drag * 1e-4 * v * vy)
        x += dt * vx
        y += dt * vy
        steps += 1
    return x


@example(np.array([0.05, 0.1, 0.2]), 1000.0)
def compound_interest(rates, principal):
    balance = principal
    for year in range(10):
        rate = rates[0] if balance < 1200 else (rates[1] if balance < 2000 else rates[2])
        balance *= 1 + rate
    return balance


@example(np.array([0.9, 0.1, 0.0]), 0.5, 0.1)
def epidemic(state, beta, gamma):
    s, i, r = state
    peak = i
    for day in range(6):
        infections = beta * s * i
        recoveries = gamma * i
        s = s - infections
        i = i + infections - recoveries
        r = r + recoveries
        if i > peak:
            peak = i
    return peak + r


@example(np.array([0.1, 0.3, -0.2, 0.5]), 3)
def crank_nicolson_dense(u, steps):
    n = u.size
    L = -2.0 * np.eye(n)
    for i in range(n - 1):
        L[i, i + 1] = 1.0
        L[i + 1, i] = 1.0
    left = np.eye(n) - 0.2 * L
    right = np.eye(n) + 0.2 * L
    for _ in range(steps):
        u = np.linalg.solve(left, right @ u + 0.05 * u**2)
    return np.sum(u**2)


@example(np.array([[0.2, 0.3], [0.6, 0.1], [0.9, 0.8]]), 0.1)
def spring_network(points, stretch):
    energy = 0.0
    for a, b, rest in [(0, 1, 0.4), (1, 2, 0.7), (0, 2, 0.8)]:
        d = points[b] - points[a]
        energy += 0.5 * (np.sqrt(d @ d) - rest * (1 + stretch)) ** 2
    return energy
