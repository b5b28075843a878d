"""ABC in, file out: foreign programs and libraries, what they are given, and the files they make."""
