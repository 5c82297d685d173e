"""STEP 1: prompt engineering or fine-tuning?"""
