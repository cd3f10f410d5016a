"""Handwritten digits: a network of two hidden layers trained with a compiled gradient.

    python examples/digits.py [--epochs 60] [--output digits_loss.png]

The loss is plain NumPy over a list of (W, b) pairs; `value_and_grad` compiles its gradient, of the same
structure.  Minibatches and Adam are written out below.  The data set, 1,797 images of 8 by 8 pixels, ships
with scikit-learn.  At least 97 % of the held-out images are read right; the loss curves are saved as a picture.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import numpy as np
from sklearn.datasets import load_digits
from tqdm import tqdm

from ad_compiler import value_and_grad

SIZES = [64, 128, 64, 10]
BATCH = 32
RATE = 5e-3
DECAY = 3e-4


def initial_parameters(rng, sizes):
    """Weights whose variance keeps that of the signals from layer to layer; biases of zero."""
    return [
        (rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs)), np.zeros(outputs))
        for inputs, outputs in pairwise(sizes)
    ]


def logits(params, images):
    h = images
    for W, b in params[:-1]:
        h = np.maximum(h @ W + b, 0.0)
    W, b = params[-1]
    return h @ W + b


def loss(params, images, labels):
    """Mean cross entropy, by a log-softmax that cannot overflow, and L2 regularisation."""
    z = logits(params, images)
    z = z - np.max(z, axis=1, keepdims=True)
    log_p = z - np.log(np.sum(np.exp(z), axis=1, keepdims=True))
    penalty = 0.0
    for W, _ in params:
        penalty = penalty + np.sum(W * W)
    return -np.mean(log_p[np.arange(len(labels)), labels]) + DECAY * penalty


def accuracy(params, images, labels):
    return np.mean(np.argmax(logits(params, images), axis=1) == labels)


def adam(params, gradients, moments, step, rate):
    """One step of Adam (Kingma and Ba, 2015); `moments` holds a pair of running means for each array."""
    new_params, new_moments = [], []
    for pair, pair_bar, pair_moments in zip(params, gradients, moments, strict=True):
        new_pair, new_pair_moments = [], []
        for x, x_bar, (m, v) in zip(pair, pair_bar, pair_moments, strict=True):
            m = 0.9 * m + 0.1 * x_bar
            v = 0.999 * v + 0.001 * x_bar**2
            m_hat, v_hat = m / (1 - 0.9**step), v / (1 - 0.999**step)
            new_pair.append(x - rate * m_hat / (np.sqrt(v_hat) + 1e-8))
            new_pair_moments.append((m, v))
        new_params.append(tuple(new_pair))
        new_moments.append(new_pair_moments)
    return new_params, new_moments


def load(rng):
    """Training and held-out images (a fifth), scaled to 0…1, in an order that the seed fixes."""
    digits = load_digits()
    order = rng.permutation(len(digits.target))
    images, labels = digits.data[order] / 16.0, digits.target[order]
    held_out = len(labels) // 5
    return (images[held_out:], labels[held_out:]), (images[:held_out], labels[:held_out])


def train(epochs, seed=0, quiet=False):
    """The trained parameters, the loss of every minibatch, the held-out loss and accuracy of every epoch."""
    rng = np.random.default_rng(seed)
    (images, labels), (test_images, test_labels) = load(rng)
    params = initial_parameters(rng, SIZES)
    moments = [[(np.zeros_like(x), np.zeros_like(x)) for x in pair] for pair in params]
    loss_and_gradient = value_and_grad(loss)
    losses, held_out_losses, accuracies = [], [], []
    step = 0
    bar = tqdm(range(epochs), desc="epochs", disable=quiet)
    for epoch in bar:
        rate = RATE * 0.5 * (1.0 + np.cos(np.pi * epoch / epochs))
        order = rng.permutation(len(labels))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            value, gradient = loss_and_gradient(params, images[batch], labels[batch])
            step += 1
            params, moments = adam(params, gradient, moments, step, rate)
            losses.append(float(value))
        held_out_losses.append(float(loss(params, test_images, test_labels)))
        accuracies.append(float(accuracy(params, test_images, test_labels)))
        bar.set_postfix(loss=f"{losses[-1]:.4f}", held_out=f"{100 * accuracies[-1]:.2f} %")
    return params, losses, held_out_losses, accuracies


def draw(losses, held_out_losses, accuracies, output):
    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(7, 4))
    steps_an_epoch = len(losses) / len(held_out_losses)
    axis.semilogy(np.arange(1, len(losses) + 1) / steps_an_epoch, losses, lw=0.5, color="0.7", label="minibatches")
    axis.semilogy(np.arange(1, len(held_out_losses) + 1), held_out_losses, label="held-out images")
    axis.set(xlabel="epoch", ylabel="loss", title=f"digits: {100 * accuracies[-1]:.2f} % of held-out images right")
    axis.legend()
    figure.tight_layout()
    figure.savefig(output, dpi=120)
    plt.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--output", type=Path, default=Path("digits_loss.png"), help="the picture of the loss curves")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    _, losses, held_out_losses, accuracies = train(options.epochs, options.seed)
    draw(losses, held_out_losses, accuracies, options.output)
    print(f"loss: {losses[0]:.4f} at the first minibatch, {losses[-1]:.4f} at the last")
    print(f"held-out accuracy: {100 * accuracies[-1]:.2f} %")
    print(f"loss curves: {options.output.resolve()}")


if __name__ == "__main__":
    main()
