"""What is copied into every export folder. These files import NumPy, and OpenCV where CLAHE was trained with."""
