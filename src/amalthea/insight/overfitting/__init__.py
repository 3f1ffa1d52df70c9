"""Where learning turns into learning by heart: losses, sizes of networks, numbers of examples."""
