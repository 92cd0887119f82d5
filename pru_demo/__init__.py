"""What a neural network keeps after it "forgets" a class, and how to make it remember."""

__version__ = "0.1.0"
