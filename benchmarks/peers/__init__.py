"""Side-by-side timings of jjjpolicy and other packages."""
