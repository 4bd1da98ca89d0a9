# The control words of mxcsr and x87 are those of one architecture.
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its switch keeps control words of x86_64, not of ${CB_ARCH}")
endif()
