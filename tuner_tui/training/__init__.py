"""STEP 3, the half without torch: configuration, presets, estimate, launchers."""
