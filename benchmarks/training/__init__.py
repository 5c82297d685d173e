"""Parts of `benchmarks/train.py`: the workload, the cases, and the scripts that tuner is compared with."""
