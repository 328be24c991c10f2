"""What sentence vectors are trained by, one file each."""
