"""The user's hooks: found, loaded, run in processes or threads, watched and started anew."""
