set(CB_LANGUAGE CXX)
# Errors are values here: nothing throws, and no coroutine is ready to be thrown through.
set(CB_FLAGS -fno-exceptions)
