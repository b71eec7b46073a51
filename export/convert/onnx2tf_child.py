"""Child process: one ONNX file to a SavedModel with a named signature, and on to TFLite files.

onnx2tf's own float files carry no signature, so its Keras model is saved again with one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from export.quantize import flatbuffer

_COLORS = 3


def main() -> int:
    """Do the task that argv[1] describes as JSON: onnx, examples, output, tflite by precision."""
    task = json.loads(sys.argv[1])
    import onnx2tf

    keras_model = onnx2tf.convert(
        input_onnx_file_path=task["onnx"],
        output_folder_path="onnx2tf",
        copy_onnx_input_output_names_to_tflite=True,
        custom_input_op_name_np_data_path=task["examples"],
        not_use_onnxsim=True,  # done already, where a crash can be survived
        non_verbose=True,
    )
    _save_with_signature(keras_model, task["output"], "named")
    for precision, path in task["tflite"].items():
        Path(path).write_bytes(_to_tflite("named", precision))
    return 0


def _save_with_signature(keras_model: Any, output: str, folder: str) -> None:
    import tensorflow as tf

    specs = [tf.TensorSpec(i.shape, i.dtype, name=i.name.split(":")[0]) for i in keras_model.inputs]

    @tf.function(input_signature=specs)  # type: ignore[untyped-decorator]
    def serve(*inputs: Any) -> dict[str, Any]:
        answer = keras_model(list(inputs), training=False)
        if len(answer.shape) == 4 and answer.shape[1] == _COLORS:
            # onnx2tf loses sight of the layout where the picture that came in is added at the end,
            # and transposes to NCHW; the converter takes both transpositions out.
            answer = tf.transpose(answer, (0, 2, 3, 1))
        return {output: answer}

    module = tf.Module()
    module.network, module.serve = keras_model, serve
    tf.saved_model.save(module, folder, signatures={"serving_default": serve})


def _to_tflite(folder: str, precision: str) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    if precision == "fp16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    model = flatbuffer.read(converter.convert())
    flatbuffer.drop_transposed_activations(model)
    return flatbuffer.pack(model)


if __name__ == "__main__":
    sys.exit(main())
