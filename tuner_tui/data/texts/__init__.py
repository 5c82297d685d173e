"""What should not be in a text that is trained: secrets, personal data, odd characters, other scripts."""
