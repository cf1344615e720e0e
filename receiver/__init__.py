"""The receiver: takes frames from any sender, runs hooks on them, and shows them live."""

import os

# OpenCV reads it when it is loaded, hence here: nothing of the receiver comes before this file.
# The size limit at the door (shared/jpeg.py) is the first guard, this is the second.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(7680 * 4320))
