"""Programs that bring a picture to the receiver and wait for the hook's result, one file a way."""
