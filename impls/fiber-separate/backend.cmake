cb_require_switch()
if(NOT CB_ARCH STREQUAL "x86_64")
    set(CB_UNAVAILABLE "its call of C on another stack is written for x86_64, not for ${CB_ARCH}")
endif()
