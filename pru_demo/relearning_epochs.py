"""How long relearning lasts; here, because pages need the number and not torch."""

EPOCHS = 10
