"""Which Keras is used, and samples in the form that its models take. Importing it imports no TensorFlow."""
