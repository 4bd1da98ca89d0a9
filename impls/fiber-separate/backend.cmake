cb_require_switch()
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its call of C on another stack is written for x86_64, not for ${CB_ARCH}")
endif()
# TSan's own code runs on the body's stack, which is too small for its reports. To Valgrind the resumer's
# stack ends where its stack pointer was when it left; what C functions use below is no stack.
set(CB_UNCHECKED tsan valgrind)
