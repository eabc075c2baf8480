"""The only rooms where tensors live: encoding, networks, training, prediction, pretraining."""
