"""The sections of a TrainConfig, by what they speak of; `base` says how a field is explained."""
