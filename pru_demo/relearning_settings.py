"""How relearning is done; here, because pages need to know and not torch."""

from pru_demo.training_settings import TrainingParams

EPOCHS = 10

# Released code, train_relearn.py: the original's optimiser with a learning rate of 1e-3.
SETTINGS = TrainingParams(epochs=EPOCHS, learning_rate=1e-3, weight_decay=1e-4)
