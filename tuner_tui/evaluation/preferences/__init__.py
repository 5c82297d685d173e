"""Step one of RLHF: a person sees two answers to a prompt and says which is better."""
