"""What stands before the routes: who may come in, how much of them, and what is told of it."""
