"""The optional packages that convert networks."""

try:
    import onnx
    import onnx.numpy_helper
    import tf2onnx
    import tf2onnx.convert
except ImportError as error:
    raise ImportError(
        f"Exporting a network needs {error.name}, which is not installed: pip install 'skrec-deep[onnx]'."
    ) from error

__all__ = ["onnx", "tf2onnx"]
