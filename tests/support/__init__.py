"""What the tests share: made videos and stores, slow twins of the kernels, and processes to drive."""
