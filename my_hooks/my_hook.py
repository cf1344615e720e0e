"""Your algorithm. Edit and save: the receiver loads it anew while it runs."""

import cv2


def process(frame):
    image = frame.image  # height x width x 3, BGR, uint8; yours to draw in
    brightness = float(image.mean())
    cv2.putText(image, f"{brightness:.0f}", (20, 60), cv2.FONT_HERSHEY_SIMPLEX, 2, (0, 255, 0), 3)
    return {"brightness": brightness}, image
