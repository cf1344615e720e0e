"""Trials: promises that a command can break, with what stands in their way taken away too."""
