"""Events and requests that reach the functions of an app."""
