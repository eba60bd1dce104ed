"""The engine: the only package that imports Keras and TensorFlow.

Its modules are imported when a network is first needed (never by ``import skrec``), because importing TensorFlow takes
seconds.
"""
