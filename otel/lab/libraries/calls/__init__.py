"""What is called of each library, by functions that know of no tracing.

Each module has a table `LIBRARIES`: of each library its `call`, which goes well, `error`, to which the server says no,
`timeout`, which the library gives up, and `refused`, where nobody listens. Each takes the place that is called.
"""
