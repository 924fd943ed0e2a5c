"""Forms made of JSON schemas: what is asked for, what was filled in, and what is wrong with it."""
