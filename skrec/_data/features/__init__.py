"""Features: conversion of columns into the input arrays of a network."""
