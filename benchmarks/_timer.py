"""The time that epochs of a Keras training take."""

import time


def epoch_timer():
    """Return a Keras callback that notes how long each epoch takes, and its list of times."""
    import keras

    times = []

    class Timer(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch, logs=None):
            times.append(time.perf_counter() - self.started)

    return Timer(), times
