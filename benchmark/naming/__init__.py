"""What parts are called: the labels of a sweep file, and short names where there are none."""
