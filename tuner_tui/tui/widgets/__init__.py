"""What the screens are made of: widgets take data and emit messages."""
