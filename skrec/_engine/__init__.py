"""The engine: the only package that imports Keras and TensorFlow.

Its modules are imported where a network is first needed (never by ``import skrec``), because TensorFlow takes seconds.
"""
