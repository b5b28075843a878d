"""What `app.render` is made of: foreign programs and libraries, what they are given, and the files they make."""
