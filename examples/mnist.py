"""Handwritten digits in six steps, as in the lecture, and one line more: python examples/mnist.py"""

import numpy as np

import amalthea as am
import keras

# 1. Load: 60,000 pictures of digits to learn from and 10,000 to be judged on, each 28 x 28 numbers from 0 to 255.
try:
    data = am.read("mnist")
    x_train, y_train = np.stack(data.examples["image"]), data.values
    x_test, y_test = np.stack(data.test.examples["image"]), data.test.values
except am.AmaltheaError as reason:
    print(f"{reason}\nSo these are the 1,797 digits of 8 x 8 pixels that scikit-learn carries, a fifth for the test.")
    data = am.read("digits")
    pictures, order = np.stack(data.examples["image"]), np.random.default_rng(0).permutation(len(data))
    x_train, y_train = pictures[order[360:]], data.values[order[360:]]
    x_test, y_test = pictures[order[:360]], data.values[order[:360]]
print(f"{len(x_train):,} pictures to learn from, {len(x_test):,} to be judged on.")

# 2. Define: a layer of 512 neurons that sees every pixel, and one neuron for each of the ten digits.
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Dense(512, activation="relu"), keras.layers.Dense(10, activation="softmax")])

# 3. Compile: how the weights follow the gradient, what is to become small, and what we want to be told.
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# 4. Prepare: each picture becomes a row of numbers from 0 to 1.
x_train = x_train.reshape(len(x_train), -1).astype("float32") / 255
x_test = x_test.reshape(len(x_test), -1).astype("float32") / 255

# 5. Fit: five times through the training pictures, 128 at a time.
model.fit(x_train, y_train, epochs=5, batch_size=128, verbose=2)

# 6. Predict and evaluate: ten probabilities for each picture; the largest one is the answer.
first = model.predict(x_test[:1], verbose=0)[0]
print(f"The first test picture is a {first.argmax()}, says the network, with probability {first.max():.4f}.")
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)

# And the one line that makes it an ensemble: five such networks, side by side in one compiled program.
ensemble = am.Ensemble(model, folds=1, members=5)
ensemble.fit(x_train, y_train, epochs=5, batch_size=128)

# The error bar: how far the accuracy of so many test pictures may be off by chance, sqrt(p (1 - p) / n).
together = ensemble.evaluate(x_test, y_test)
error = np.sqrt(together["accuracy"] * (1 - together["accuracy"]) / len(x_test))
members = together.members["accuracy"]
print(f"One network:   test accuracy {accuracy:.4f} (the lecture, on MNIST: 0.9785)")
print(f"Five together: test accuracy {together['accuracy']:.4f} ± {error:.4f}", end=" ")
print(f"(alone: {members.min():.4f} to {members.max():.4f})")
