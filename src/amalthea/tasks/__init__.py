"""What is answered: the protocol of an answer, and those that there are."""
