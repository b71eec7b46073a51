"""Write `tiny-generator.tflite`, a generator that takes no time, to test what is around it.

It has the names and shapes of a bundle's generator, and answers the target with its colours
inverted: `python web_demo/tests/chromium/tiny_generator.py`. It needs TensorFlow.
"""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf


class Generator(tf.Module):
    """Inverts colours; the identity has no influence."""

    @tf.function(
        input_signature=[
            tf.TensorSpec((1, 256, 256, 3), tf.float32, "target"),
            tf.TensorSpec((1, 512), tf.float32, "embedding"),
        ]
    )
    def __call__(self, target: tf.Tensor, embedding: tf.Tensor) -> dict[str, tf.Tensor]:
        """The swapped face, shape and range as `target`."""
        return {"image": 1 - target + 0 * tf.reduce_sum(embedding)}


if __name__ == "__main__":
    module = Generator()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [module.__call__.get_concrete_function()], module
    )
    Path(__file__).with_name("tiny-generator.tflite").write_bytes(converter.convert())
