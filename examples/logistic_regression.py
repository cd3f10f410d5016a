"""Logistic regression in three dimensions: the lecture's published run, digit for digit.

    python examples/logistic_regression.py

The model is plain NumPy; `grad` compiles its gradient.  From the recovered start the run reproduces the twelve
published losses to 1e-10 and every printed digit of the weights.  The second run is that of the slide's code
as printed: weights from zeros, step 0.01, 100 iterations.
"""

import numpy as np

from ad_compiler import grad

INPUTS = np.array(
    [
        [0.52, 1.12, 0.77, 1.0],
        [0.88, -1.08, 0.15, 1.0],
        [0.52, 0.06, -1.30, 1.0],
        [0.74, -2.49, 1.39, 1.0],
    ]
)  # the last column is the bias
TARGETS = np.array([True, True, False, True])

START = np.array([0.881686725398, 0.057976992559, 0.783175916925, 0.750446454924])
PUBLISHED_LOSSES = {
    "initial": 1.2158416689265426,
    "i = 0": 1.1166005097926057,
    "i = 1000": 0.014461377073052091,
    "i = 2000": 0.007250436160028394,
    "i = 3000": 0.004836042805300988,
    "i = 4000": 0.0036274714515086293,
    "i = 5000": 0.0029020220592145167,
    "i = 6000": 0.002418303261147632,
    "i = 7000": 0.002072764326614986,
    "i = 8000": 0.0018136037829715383,
    "i = 9000": 0.0016120346046981056,
    "final": 0.0014509266460410865,
}
PUBLISHED_WEIGHTS = "[ 2.76196259 -1.66165016  8.3258685   2.05455772]"


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def predictions(weights, inputs):
    return sigmoid(np.dot(inputs, weights))


def training_loss(weights):
    p = predictions(weights, INPUTS)
    likelihoods = p * TARGETS + (1 - p) * (1 - TARGETS)
    return -np.sum(np.log(likelihoods))


gradient = grad(training_loss)


def published_run():
    """The losses by their labels, and the weights at the end."""
    weights = START
    losses = {"initial": training_loss(weights)}
    for i in range(10_000):
        weights = weights - 0.1 * gradient(weights)
        if i % 1000 == 0:
            losses[f"i = {i}"] = training_loss(weights)
    losses["final"] = training_loss(weights)
    return losses, weights


def run_of_the_slide():
    """The losses at the start and at the end of the code as the slide prints it."""
    weights = np.array([0.0, 0.0, 0.0, 0.0])
    start = training_loss(weights)
    for _ in range(100):
        weights = weights - 0.01 * gradient(weights)
    return start, training_loss(weights)


def main():
    losses, weights = published_run()
    print(f"{'':10}  {'loss':<22}  {'published':<22}  difference")
    for label, published in PUBLISHED_LOSSES.items():
        loss = float(losses[label])
        print(f"{label:10}  {loss!r:<22}  {published!r:<22}  {abs(loss - published):.1e}")
        if not abs(loss - published) < 1e-10:
            raise SystemExit(f"the loss at `{label}` is not the published one")
    print(f"weights     {weights}\npublished   {PUBLISHED_WEIGHTS}")
    if str(weights) != PUBLISHED_WEIGHTS:
        raise SystemExit("the weights are not the published ones")
    start, end = run_of_the_slide()
    print(f"as printed on the slide: {float(start)!r} at the start, {float(end)!r} at the end")


if __name__ == "__main__":
    main()
