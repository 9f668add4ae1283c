"""Presets over HTTP, gRPC and WebSocket: the functions of `zoo.api` for other programs.

The server imports TensorFlow only for presets without an ONNX export, for SavedModels, and for the
gRPC interface of TensorFlow Serving.
"""
