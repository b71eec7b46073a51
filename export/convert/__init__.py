"""From one network to one model file: ONNX, TFLite, Core ML."""
