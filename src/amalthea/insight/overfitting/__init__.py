"""Where overfitting begins: losses, sizes of networks, numbers of examples."""
